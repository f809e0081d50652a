import { resolve } from "node:path";
import { createInterface } from "node:readline";
import { openStateFolder, readInstance, signRequest } from "@candor/node/state-folder";
import { toReachable } from "./address.ts";
import { askAsInstance, askToForget, explainRefusal, Refused } from "./collector.ts";
import { readSettings } from "./environment.ts";
import { renderReceipt } from "./forget-receipt.ts";
import { explainNoFolder } from "./inspect-folder.ts";
import { findToken, toMissingSentence } from "./known-keys.ts";
import type { Fields } from "./live-message.ts";
import { toSafeJson, toSafeText } from "./safe-text.ts";
import { coloursFor, endWithReader, print } from "./terminal.ts";

export interface ForgetOptions {
  readonly instance?: string;
  readonly user?: string;
  /** The address itself comes from standard input: arguments are seen by every user of the machine, and kept by shells. */
  readonly contact?: boolean;
  /** The state folder of an instance that asks for itself, with its own key and without a token. */
  readonly state?: string;
  readonly json?: boolean;
}

/**
 * `candor forget`: has the running collector delete what it keeps of somebody, and prints its receipt.
 * @throws CandorError `unreachable`, `settings_invalid`
 */
export async function forget(options: ForgetOptions): Promise<number> {
  endWithReader();
  const config = readSettings();
  const { instance, user, contact, state, json = false } = options;
  if ([instance, user, contact, state].filter((given) => given !== undefined).length !== 1)
    return refuse("Give one of --instance ID, --user ID, --contact and --state DIR.");
  const url = toReachable(config.url);
  if (state !== undefined) return forgetMyself(state, url, json);
  const token = findToken(config);
  if (token === undefined) return refuse(toMissingSentence(config));
  const address = contact === true ? await readAddress() : undefined;
  if (contact === true && address === undefined)
    return refuse("Write one e-mail address to standard input, on a line of its own.");
  return printReceipt(askToForget(url, token, { instance, user, contact: address }), url, json);
}

/** The instance of a state folder has all that the collector keeps of it deleted. Its own folder stays as it is. */
async function forgetMyself(folder: string, url: string, json: boolean): Promise<number> {
  const dir = resolve(folder);
  const fault = explainNoFolder(dir);
  if (fault !== undefined) return refuse(toSafeText(fault));
  const instance = readInstance(openStateFolder(dir).instance);
  if (instance === undefined)
    return refuse(
      toSafeText(
        `${dir} holds no instance, so there is nobody to ask as. What an installer sent from there carries no instance's id.`,
      ),
    );
  const signed = signRequest(instance, "forget", Date.now());
  return printReceipt(askAsInstance(url, "forget", signed), url, json);
}

async function printReceipt(asking: Promise<Fields>, url: string, json: boolean): Promise<number> {
  try {
    const receipt = await asking;
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
