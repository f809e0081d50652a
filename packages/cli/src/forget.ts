/** Owns `candor forget`: whose data is deleted, and by what right. */
import { forgetInstance, printReceipt, refuse, toReachable } from "@candor/node/operator";
import { askToForget } from "./collector.ts";
import { readCollectorUrl, readSettings } from "./environment.ts";
import { findToken, toNoTokenSentence } from "./known-keys.ts";
import { endWithReader, readTypedLine } from "./terminal.ts";

export interface ForgetOptions {
  readonly instance?: string;
  readonly user?: string;
  /** The address itself comes from standard input (`readTypedLine`). */
  readonly contact?: boolean;
  /** The state folder of an instance that asks for itself, with its own key and without a token. */
  readonly state?: string;
  /** Where the collector is. @default CANDOR_URL; when an instance asks for itself and there is none, where it sends to */
  readonly url?: string;
  readonly json?: boolean;
}

/**
 * `candor forget`: has the running collector delete what it keeps of somebody, and prints its receipt: 0. 2: it was not
 * asked, because something is missing.
 * @throws Refused, NoAnswer, CandorError `unreachable`, `settings_invalid`
 */
export async function forget(options: ForgetOptions): Promise<number> {
  endWithReader();
  const { instance, user, contact, state, url: given, json = false } = options;
  if ([instance, user, contact, state].filter((given) => given !== undefined).length !== 1)
    return refuse("Give one of --instance ID, --user ID, --contact and --state DIR.");
  if (state !== undefined) return forgetInstance(state, { url: given ?? readCollectorUrl(), json });
  const config = readSettings();
  const token = findToken(config);
  if (token === undefined) return refuse(toNoTokenSentence(config));
  const address = contact === true ? await readTypedLine("E-mail address: ") : undefined;
  if (contact === true && address === undefined)
    return refuse("Write one e-mail address to standard input, on a line of its own.");
  const url = given ?? toReachable(config.url);
  await printReceipt(askToForget(url, token, { instance, user, contact: address }), json);
  return 0;
}
