/** Runs one ClickHouse server of a test cluster. */
import { mkdirSync } from "node:fs";
import { createRequire } from "node:module";
import { DataType, load, open } from "ffi-rs";

/** The server's only argument, as JSON. */
export interface ClusterServerOptions {
  dir: string;
  configFile: string;
  httpPort: number;
  tcpPort: number;
}

const { dir, configFile, httpPort, tcpPort } = JSON.parse(process.argv[2] ?? "{}") as ClusterServerOptions;

// Native code occupies one thread for as long as the process runs. The main thread stays free to notice that
// the parent has ended.
process.on("disconnect", () => process.kill(process.pid, "SIGKILL"));

const { libchdbPath } = createRequire(import.meta.url)("chdb/libchdb") as { libchdbPath(): string };
const SLEEP_FOR_AN_HOUR =
  "SELECT sleepEachRow(3) FROM numbers(1200) FORMAT Null SETTINGS max_block_size = 1, function_sleep_max_microseconds_per_block = 0";

mkdirSync(dir, { recursive: true });
open({ library: "chdb", path: libchdbPath() });
const args = [
  "clickhouse",
  `--config-file=${configFile}`,
  `--path=${dir}`,
  "--listen_host=127.0.0.1",
  `--http_port=${httpPort}`,
  `--tcp_port=${tcpPort}`,
  "--multiquery",
  "--query",
  `SYSTEM START LISTEN HTTP; SYSTEM START LISTEN TCP; ${SLEEP_FOR_AN_HOUR}`,
];
await load({
  library: "chdb",
  funcName: "chdb_query_cmdline",
  retType: DataType.External,
  paramsType: [DataType.I32, DataType.StringArray],
  paramsValue: [args.length, args],
  runInNewThread: true,
});
process.kill(process.pid, "SIGKILL");
