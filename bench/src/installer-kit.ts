/**
 * The benchmark's `installer` part: the time that the installer kit adds to an install script in dash. The
 * script calls the kit as an install does: trap, notice, question (there is no terminal), start, success.
 * Scripts with and without the kit take turns, so that changes in the machine's speed affect all of them
 * alike.
 */
import { execFileSync, spawn } from "node:child_process";
import { once } from "node:events";
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { createServer, type Server, type Socket } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { median } from "./latencies.ts";
import { formatMs, markdownTable } from "./table.ts";

const ROOT = fileURLToPath(new URL("../..", import.meta.url));
const CALLS = `telemetry_install_trap
telemetry_notice
telemetry_ask
telemetry_track 'Installation Started'
telemetry_success
`;

const ROUNDS = 25;

interface Subject {
  readonly name: string;
  /** The collector's address; undefined for the script without the kit. */
  readonly url: string | undefined;
  /** Whether the script ran before, so that there are stored answers and undelivered messages. */
  readonly isUpgrade: boolean;
}

/**
 * Measures the time until each script has ended and no process holds its output open. Resolves to a table of
 * medians.
 */
export async function installerTable(): Promise<string> {
  const sockets: Socket[] = [];
  const silent = await listen(createServer((socket) => void sockets.push(socket)));
  const closed = await listen(createServer());
  const closedUrl = urlOf(closed);
  await close(closed);
  const bare: Subject = { name: "without the kit", url: undefined, isUpgrade: false };
  const subjects: readonly Subject[] = [
    bare,
    { name: "nobody listens at the collector's port", url: closedUrl, isUpgrade: false },
    { name: "the collector takes the connection and never answers", url: urlOf(silent), isUpgrade: false },
    { name: "the collector's name has no address", url: "http://collector.invalid", isUpgrade: false },
    { name: "an upgrade, and nobody listens", url: closedUrl, isUpgrade: true },
  ];
  const folder = mkdtempSync(join(tmpdir(), "candor-bench-installer-"));
  try {
    writeFileSync(join(folder, "table.sh"), printTable());
    const times = subjects.map((): number[] => []);
    for (let round = 0; round <= ROUNDS; round += 1) {
      for (const [index, subject] of subjects.entries()) {
        const ms = await timeInstall(subject, folder, `${round}-${index}`);
        if (round > 0) times[index]?.push(ms); // The first round warms up.
      }
    }
    const medians = times.map(median);
    const rows = subjects.map(({ name, url }, index) => {
      const ms = medians[index] ?? Number.NaN;
      return [name, formatMs(ms), url === undefined ? "" : formatMs(ms - (medians[0] ?? Number.NaN))];
    });
    return `Medians of ${ROUNDS} runs in dash.\n\n${markdownTable(["install script", "ms", "added"], rows)}`;
  } finally {
    for (const socket of sockets) socket.destroy();
    await close(silent);
    rmSync(folder, { recursive: true, force: true });
  }
}

/** The milliseconds until the script has ended and no process holds its output open. */
async function timeInstall({ url, isUpgrade }: Subject, folder: string, name: string): Promise<number> {
  const deployment = join(folder, name);
  mkdirSync(deployment);
  writeFileSync(join(deployment, "docker.env"), "A=1\n"); // The kit writes to this file but never creates it.
  const script = join(deployment, "install.sh");
  writeFileSync(script, url === undefined ? "set -eu\n" : scriptWith(url, folder, deployment));
  if (isUpgrade) await runScript(script);
  const startMs = performance.now();
  await runScript(script);
  return performance.now() - startMs;
}

function scriptWith(url: string, folder: string, deployment: string): string {
  return `set -eu
TELEMETRY_URL=${url} TELEMETRY_WRITE_KEY=bench
TELEMETRY_STATE_DIR='${deployment}/telemetry' TELEMETRY_DOCKER_ENV='${deployment}/docker.env'
. '${folder}/table.sh'
. '${ROOT}/packages/installer/candor.sh'
${CALLS}`;
}

async function runScript(script: string): Promise<void> {
  const { CI: _, DO_NOT_TRACK: __, ...env } = process.env;
  const child = spawn("dash", [script], { env, detached: true, stdio: ["ignore", "pipe", "pipe"] });
  child.stdout.resume();
  child.stderr.resume();
  const [status]: unknown[] = await once(child, "close");
  if (status !== 0) throw new Error(`the install script ended with ${String(status)}`);
}

function printTable(): string {
  const words = ["packages/cli/bin/candor.js", "generate", "sh", "plans/appsmith.yaml"];
  return execFileSync(process.execPath, words, { cwd: ROOT, encoding: "utf8" });
}

async function listen(server: Server): Promise<Server> {
  server.listen(0, "127.0.0.1");
  await once(server, "listening");
  return server;
}

async function close(server: Server): Promise<void> {
  server.close();
  await once(server, "close");
}

function urlOf(server: Server): string {
  const address = server.address();
  if (address === null || typeof address === "string") throw new Error("no port");
  return `http://127.0.0.1:${address.port}`;
}
