/** Implements `candor doctor`: gathers facts, checks them, and prints the result of each check. */
import { checkFacts } from "./doctor/checks.ts";
import { gatherFacts } from "./doctor/examine.ts";
import type { Check } from "./doctor/facts.ts";
import { type Colours, coloursFor, endWithReader, print, toSafeText } from "./terminal.ts";

/** Checks what a collector needs, and prints what to fix. Resolves to 1 if a check fails, otherwise to 0. */
export async function diagnose({ json = false }: { readonly json?: boolean }): Promise<number> {
  endWithReader();
  const checks = checkFacts(await gatherFacts());
  const isWell = checks.every(({ state }) => state !== "fail");
  const colours = coloursFor(process.stdout);
  await print(
    json
      ? `${JSON.stringify({ ok: isWell, checks }, null, 2)}\n`
      : checks.map((check) => renderCheck(check, colours)).join(""),
  );
  return isWell ? 0 : 1;
}

/**
 * Renders a check as state, name and sentence in columns. Further lines of the sentence are indented below
 * its first.
 */
export function renderCheck({ name, state, sentence }: Check, colours: Colours): string {
  const mark = state === "fail" ? "FAIL" : state;
  const paint = { ok: colours.green, warn: colours.yellow, fail: colours.red }[state];
  const [first = "", ...more] = sentence.split("\n").map(toSafeText);
  const rest = more.map((line) => `${" ".repeat(18)}${line}\n`).join("");
  return `${paint(mark.padEnd(4))}  ${name.padEnd(10)}  ${first}\n${rest}`;
}
