/** Implements `candor forget`, which deletes somebody's data at the collector. */
import { forgetInstance, printReceipt, refuse, toReachable } from "@candor/node/operator";
import { askToForget } from "./collector.ts";
import { readCollectorUrl, readSettings } from "./environment.ts";
import { findToken, type ProductOption, toNoTokenSentence } from "./keys.ts";
import { endWithReader, readTypedLine } from "./terminal.ts";

export interface ForgetOptions extends ProductOption {
  readonly instance?: string;
  readonly user?: string;
  /** Whether to delete by e-mail address, which is read from standard input. */
  readonly contact?: boolean;
  /** The state folder of an instance that deletes its own data with its own key, without a token. */
  readonly state?: string;
  /**
   * The collector's address. Default: CANDOR_URL. If that is not set: with `state`, the address that the
   * instance sends to; otherwise the one that CANDOR_HOST and CANDOR_PORT give.
   */
  readonly url?: string;
  readonly json?: boolean;
}

/**
 * Asks the running collector to delete what it stores about somebody, and prints the deletion receipt.
 * Resolves to 0; or to 2, without sending anything, if the options do not name exactly one thing to delete,
 * or if the token or the e-mail address is missing. With `state`, resolves as `forgetInstance` does.
 * @throws Refused, NoAnswer, CandorError `unreachable`, `settings_invalid`, and what findToken throws
 */
export async function forget(options: ForgetOptions): Promise<number> {
  endWithReader();
  const { instance, user, contact, state, url: given, product, json = false } = options;
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
  await printReceipt(askToForget({ url, token, product }, { instance, user, contact: address }), json);
  return 0;
}
