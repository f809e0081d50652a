import { writeFileSync } from "node:fs";
import { join } from "node:path";
import { expect, it } from "vitest";
import { makeRigFolder, QUIET, startChild } from "./rig/child.ts";

const SHOW = "tell(telemetry.status().reason ?? telemetry.status().state);";

it.each([
  ["--env-file", ["--env-file=%"], SHOW],
  ["process.loadEnvFile", [], `process.loadEnvFile("%"); ${SHOW}`],
  [
    "a loader that replaces process.env",
    [],
    `process.env = { ...process.env, ...Object.fromEntries(
       readFileSync("%", "utf8").trim().split("\\n").map((line) => line.split("="))) }; ${SHOW}`,
  ],
])("the switches in an env file take effect with %s", async (_how, nodeFlags, program) => {
  const folder = makeRigFolder();
  const file = join(folder, "product.env");
  for (const [text, expected] of [
    ["APPSMITH_DISABLE_TELEMETRY=false\n", "on"],
    ["APPSMITH_DISABLE_TELEMETRY=true\n", "environment_disable"],
    ["APPSMITH_DISABLE_TELEMETRY=false\nDO_NOT_TRACK=1\n", "environment_do_not_track"],
  ] as const) {
    writeFileSync(file, text);
    const child = startChild({
      stateDir: join(folder, "telemetry"),
      host: "http://127.0.0.1:9",
      env: {},
      nodeFlags: nodeFlags.map((flag) => flag.replace("%", file)),
      program: program.replace("%", file),
    });
    expect(await child.ended).toEqual(QUIET);
    expect(child.told).toEqual([expected]);
  }
});
