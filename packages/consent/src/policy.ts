/** Reads the machine's policy file. */

/**
 * `silent`: the policy turns nothing off for this product. `unreadable`: the file could not be read, or
 * contains a malformed line and no `off` for this product.
 */
export type PolicyWord = "silent" | "off" | "unreadable";

/** Trailing white space, including the CR in files written on Windows. */
const LINE_END = /[ \t\r]+$/;
const OFF = /^off(?:[ \t]+(?<product>[^ \t].*))?$/;

/**
 * Reads what the machine's policy file says about a product. docs/state-folder.md specifies the file. A valid
 * `off` takes precedence over a malformed line: both deny, but `off` is what somebody intended.
 *
 * @param text undefined if there is no such file, null if it cannot be read
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
