import { createInterface } from "node:readline";
import { toReachable } from "./address.ts";
import { askToForget, explainRefusal, Refused } from "./collector.ts";
import { readSettings } from "./environment.ts";
import { renderReceipt } from "./forget-receipt.ts";
import { findToken, toMissingSentence } from "./known-keys.ts";
import { toSafeJson } from "./safe-text.ts";
import { coloursFor, endWithReader, print } from "./terminal.ts";

export interface ForgetOptions {
  readonly instance?: string;
  readonly user?: string;
  /** The address itself comes from standard input: arguments are seen by every user of the machine, and kept by shells. */
  readonly contact?: boolean;
  readonly json?: boolean;
}

/**
 * `candor forget`: has the running collector delete what it keeps of somebody, and prints its receipt.
 * @throws CandorError `unreachable`, `settings_invalid`
 */
export async function forget(options: ForgetOptions): Promise<number> {
  endWithReader();
  const config = readSettings();
  const { instance, user, contact, json = false } = options;
  if ([instance, user, contact].filter((given) => given !== undefined).length !== 1)
    return refuse("Give one of --instance ID, --user ID and --contact.");
  const token = findToken(config);
  if (token === undefined) return refuse(toMissingSentence(config));
  const address = contact === true ? await readAddress() : undefined;
  if (contact === true && address === undefined)
    return refuse("Write one e-mail address to standard input, on a line of its own.");
  const url = toReachable(config.url);
  try {
    const receipt = await askToForget(url, token, { instance, user, contact: address });
    await print(
      json ? `${toSafeJson(JSON.stringify(receipt))}\n` : renderReceipt(receipt, coloursFor(process.stdout)),
    );
    return 0;
  } catch (error) {
    if (!(error instanceof Refused)) throw error;
    return refuse(explainRefusal(error, url));
  }
}

function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return 1;
}

/** The one line of standard input; undefined when there is none, or another. */
async function readAddress(): Promise<string | undefined> {
  const { stdin } = process;
  if (stdin.isTTY) process.stderr.write("E-mail address: ");
  const found: string[] = [];
  for await (const line of createInterface({ input: stdin })) {
    if (line.trim() !== "") found.push(line.trim());
    if (stdin.isTTY) break;
  }
  return found.length === 1 ? found[0] : undefined;
}
