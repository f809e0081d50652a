import { spawnSync } from "node:child_process";
import { readFileSync } from "node:fs";
import { fileURLToPath } from "node:url";
import { describe, expect, it } from "vitest";
import { commandOf, SHELLS } from "./rig/shells.ts";

const KIT = fileURLToPath(new URL("../candor.sh", import.meta.url));
const COMPACT = fileURLToPath(new URL("../candor.compact.sh", import.meta.url));
const CONSENT_PAGE = new URL("../../../docs/consent.md", import.meta.url);
const text = readFileSync(KIT, "utf8");
/** Matches the programs that the kit contains between single quotes. */
const PROGRAMS = /^kit_(?:sender|reader|env_reader)='$([^']*)'$/gm;
const MAX_LINES = 600;
const MAX_BYTES = 24 * 1024;

it("the kit stays small enough to be read", () => {
  expect(text.split("\n").length - 1).toBeLessThanOrEqual(MAX_LINES);
  expect(Buffer.byteLength(text)).toBeLessThanOrEqual(MAX_BYTES);
});

it("its messages name the version of this package", () => {
  const { version } = JSON.parse(readFileSync(new URL("../package.json", import.meta.url), "utf8"));
  expect(/library\.version ([\d.]+)$/m.exec(text)?.[1]).toBe(version);
});

it("its functions are named telemetry_* for makers and kit_* for itself, and there are no others", () => {
  const names = [...text.replaceAll(PROGRAMS, "").matchAll(/^(\w+)\(\)/gm)].map(([, name = ""]) => name);
  expect(names.filter((name) => !/^(?:kit|telemetry)_/.test(name))).toEqual([]);
  const called = [...text.matchAll(/^telemetry_\w+\(\) \{ kit_safely (kit_\w+)/gm)].map(([, name]) => name);
  expect(called.length).toBe(8);
  expect(called.filter((name = "") => !names.includes(name))).toEqual([]);
});

it("it has a function for each rule of docs/consent.md that applies to scripts, and tries them in that order", () => {
  const page = readFileSync(CONSENT_PAGE, "utf8");
  const [denies = "", allows = ""] = page.split("## What allows");
  const rulesOf = (part: string) =>
    [...part.matchAll(/^\| `(\w+)` \|/gm)]
      .map(([, rule = ""]) => rule)
      .filter((rule) => !/^browser_|^product_|_missing$/.test(rule));
  const functionsOf = (kind: string) =>
    [...text.matchAll(new RegExp(`^kit_${kind}_(\\w+)\\(\\)`, "gm"))].map(([, rule]) => rule);
  const [triedFirst, triedThen] = [...text.matchAll(/for kit_reason in ([^;]*); do/g)].map(([, list = ""]) =>
    list.split(/[\s\\]+/),
  );
  expect({ functions: functionsOf("denies"), tried: triedFirst }).toEqual({
    functions: rulesOf(denies),
    tried: rulesOf(denies),
  });
  expect({ functions: functionsOf("allows"), tried: triedThen }).toEqual({
    functions: rulesOf(allows.split("\n## ")[0] ?? ""),
    tried: rulesOf(allows.split("\n## ")[0] ?? ""),
  });
});

it("shellcheck finds nothing in it or in the programs that it contains", { tags: ["shellcheck"] }, () => {
  const programs = [...text.matchAll(PROGRAMS)].map(([, program = ""]) => program);
  const shell = programs.filter((program) => !program.includes("ENVIRON"));
  expect([programs.length, shell.length]).toEqual([3, 2]);
  for (const input of [text, ...shell.map((program) => `# shellcheck shell=sh disable=SC2034\n${program}`)]) {
    const run = spawnSync("shellcheck", ["-"], { input, encoding: "utf8" });
    expect({ stdout: run.stdout, status: run.status }).toEqual({ stdout: "", status: 0 });
  }
});

describe("the compact form", () => {
  it("is the same code, as bash understands it", { tags: ["bash"] }, () => {
    expect(readAsBash(COMPACT)).toBe(readAsBash(KIT));
  });

  it("has no comment but its first line", () => {
    const lines = readFileSync(COMPACT, "utf8").split("\n").slice(1, -1);
    expect(lines.filter((line) => /^\s|^#|^$| # [A-Z]/.test(line))).toEqual([]);
  });

  for (const shell of SHELLS)
    it(`can be read by ${shell.name}`, { tags: shell.tags }, () => {
      const [program, ...flags] = commandOf(shell);
      const run = spawnSync(program, [...flags, "-n", COMPACT], { encoding: "utf8" });
      expect({ status: run.status, stderr: run.stderr }).toEqual({ status: 0, stderr: "" });
    });
});

/**
 * Returns all functions and `kit_` variables of a kit, as bash prints them, without comments and indentation.
 * These are removed even from the programs and traps between quotes.
 */
function readAsBash(file: string): string {
  const script = `. "$1"; declare -f; for name in $(compgen -v kit_); do printf '%s\\n' "$name=\${!name}"; done`;
  const run = spawnSync("bash", ["-c", script, "bash", file], {
    encoding: "utf8",
    stdio: ["ignore", "pipe", "pipe"],
  });
  expect(run.stderr).toBe("");
  return run.stdout
    .split("\n")
    .map((line) => line.trim().replace(/ # [A-Z][^'"]*$/, ""))
    .filter((line) => line !== "" && !line.startsWith("#"))
    .join("\n");
}
