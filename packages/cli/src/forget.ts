import { toReachable } from "./address.ts";
import { askAsInstance, askToForget, FORGET_TIMEOUT_MS } from "./collector.ts";
import { readSettings } from "./environment.ts";
import { renderReceipt } from "./forget-receipt.ts";
import { findToken, toNoTokenSentence } from "./known-keys.ts";
import type { Fields } from "./live-message.ts";
import { collectorOf, readInstanceOrExplain } from "./own-instance.ts";
import { refuse } from "./refusal.ts";
import { toSafeJson, toSafeText } from "./safe-text.ts";
import { coloursFor, endWithReader, print, report } from "./terminal.ts";
import { readTypedLine } from "./typed-line.ts";

/** A collector waits until the files are gone. */
const TOLD_AFTER_MS = 5000;
const STILL_ASKING =
  "The collector has not answered yet. Deleting can take minutes; Ctrl-C does not undo it.";
const GOES_ON =
  "Telemetry itself is as it was: what the product sends from now on, also what waits in this folder, is kept again.\n";

export interface ForgetOptions {
  readonly instance?: string;
  readonly user?: string;
  /** The address itself comes from standard input (`readTypedLine`). */
  readonly contact?: boolean;
  /** The state folder of an instance that asks for itself, with its own key and without a token. */
  readonly state?: string;
  /** Where the collector is. @default see `collectorOf`; CANDOR_URL when no instance asks for itself */
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
  if (state !== undefined) return forgetMyself(state, given, json);
  const config = readSettings();
  const token = findToken(config);
  if (token === undefined) return refuse(toNoTokenSentence(config));
  const address = contact === true ? await readTypedLine("E-mail address: ") : undefined;
  if (contact === true && address === undefined)
    return refuse("Write one e-mail address to standard input, on a line of its own.");
  const url = given ?? toReachable(config.url);
  await printReceipt(await whileTold(askToForget(url, token, { instance, user, contact: address })), json);
  return 0;
}

/** The instance of a state folder has all that the collector keeps of it deleted. Its own folder stays as it is. */
async function forgetMyself(named: string, given: string | undefined, json: boolean): Promise<number> {
  const own = await readInstanceOrExplain(named);
  if (own.fault !== undefined) return refuse(toSafeText(own.fault));
  const url = collectorOf(own.folder, given);
  const question = { action: "forget", timeoutMs: FORGET_TIMEOUT_MS } as const;
  await printReceipt(await whileTold(askAsInstance(url, own.instance, question)), json);
  if (!json) await print(GOES_ON);
  return 0;
}

async function printReceipt(receipt: Fields, json: boolean): Promise<void> {
  await print(
    json ? `${toSafeJson(JSON.stringify(receipt))}\n` : renderReceipt(receipt, coloursFor(process.stdout)),
  );
}

/** Says once that it takes long. */
async function whileTold<Answer>(asking: Promise<Answer>): Promise<Answer> {
  const timer = setTimeout(report, TOLD_AFTER_MS, STILL_ASKING);
  return asking.finally(() => clearTimeout(timer));
}
