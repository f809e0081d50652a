import { createInterface } from "node:readline";

/**
 * The one line of standard input, for what names a person: every user of a machine sees the arguments of a program, and
 * shells keep them. Undefined when there is none, or another.
 * @param prompt shown on stderr when somebody types
 */
export async function readTypedLine(prompt: string): Promise<string | undefined> {
  const { stdin } = process;
  if (stdin.isTTY) process.stderr.write(prompt);
  const found: string[] = [];
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() !== "") found.push(line.trim());
    if (stdin.isTTY) break;
  }
  return found.length === 1 ? found[0] : undefined;
}
