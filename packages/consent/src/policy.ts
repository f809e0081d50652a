/** `silent`: says nothing of this product. `unreadable`: it could not be read, or holds a line of no known form. */
export type PolicyWord = "silent" | "off" | "unreadable";

/** Also of a file that was written on Windows. */
const LINE_END = /[ \t\r]+$/;
const OFF = /^off(?:[ \t]+(?<product>[^ \t].*))?$/;

/**
 * What the policy file of the machine says of a product; docs/state-folder.md has its form. An `off` that holds goes
 * before a bad line: both deny, and the first is what somebody meant.
 *
 * @param text undefined: no such file. Null: it cannot be read.
 */
export function readPolicy(text: string | undefined | null, product: string): PolicyWord {
  if (text === undefined) return "silent";
  if (text === null) return "unreadable";
  const words = text.split("\n").map((line) => readLine(line.replace(LINE_END, ""), product));
  if (words.includes("off")) return "off";
  return words.includes("unreadable") ? "unreadable" : "silent";
}

function readLine(line: string, product: string): PolicyWord {
  if (line === "" || line.startsWith("#")) return "silent";
  const match = OFF.exec(line);
  if (match === null) return "unreadable";
  const named = match.groups?.product;
  return named === undefined || isSameName(named, product) ? "off" : "silent";
}

function isSameName(a: string, b: string): boolean {
  return a.trim().toLowerCase() === b.trim().toLowerCase();
}
