import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { expect, it } from "vitest";

const KIT = fileURLToPath(new URL("../candor.sh", import.meta.url));
const text = readFileSync(KIT, "utf8");
/** A program in the program, between single quotes. */
const SENDER = /^t_sender='$([^']*)'$/m;
const MAX_LINES = 300;
const MAX_BYTES = 12 * 1024;

it("the kit stays small enough to be read and to be inlined", () => {
  expect(text.split("\n").length - 1).toBeLessThan(MAX_LINES);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES);
});

it("its messages name the version of this package", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(/\\tcandor-installer\\t,\\tversion\\t:\\t([\d.]+)\\t/.exec(text)?.[1]).toBe(version);
});

it("its functions are telemetry_ for makers and t_ for itself, and no others", () => {
  const names = [...text.replace(SENDER, "").matchAll(/^(\w+)\(\)/gm)].map(([, name = ""]) => name);
  expect(names.filter((name) => !name.startsWith("t_"))).toEqual([]);
  expect(
    /^for t_name in (.*); do$/m
      .exec(text)?.[1]
      ?.split(" ")
      .filter((name) => !names.includes(`t_${name}`)),
  ).toEqual([]);
});

it("shellcheck finds nothing in it, nor in the program that sends", { tags: ["shellcheck"] }, () => {
  const sender = SENDER.exec(text)?.[1] ?? "missing";
  for (const input of [text, `# shellcheck shell=sh\n${sender}`]) {
    const run = spawnSync("shellcheck", ["-"], { input, encoding: "utf8" });
    expect({ stdout: run.stdout, status: run.status }).toEqual({ stdout: "", status: 0 });
  }
});
