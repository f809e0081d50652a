import { createInterface } from "node:readline";

/**
 * Reads a value that identifies a person from standard input: every user of the machine can see a program's arguments, and
 * shells keep them in their history.
 * @param prompt shown on stderr when standard input is a terminal
 * @returns undefined unless there is exactly one line
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
