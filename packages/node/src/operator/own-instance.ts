/** Lets a command send signed requests to a collector as the instance of a state folder. */
import { existsSync } from "node:fs";
import { resolve } from "node:path";
import type { Fields } from "@candor/envelope/unknown-value";
import { type InstanceAction, signRequest } from "../send/ask-collector.ts";
import { readDelivery } from "../send/delivery.ts";
import { type Instance, readInstance } from "../state/instance.ts";
import { openStateFolder, type StateFolder } from "../state/state-folder.ts";
import { NoAnswer, post, Refused, readAddress } from "./collector.ts";
import { explainUnreadable } from "./folder-report.ts";
import { refuse, toSafeText } from "./terminal.ts";

export interface AskOptions {
  /** The collector's URL. @default the URL that the instance itself sends to */
  readonly url?: string | undefined;
  readonly json?: boolean | undefined;
}

/** The instance of a state folder, and the collector to ask about it. */
export interface OwnInstance {
  readonly instance: Instance;
  readonly folder: StateFolder;
  readonly url: string;
}

/**
 * Runs a command as the instance of a state folder. Reports on stderr why it cannot run.
 * @returns the exit status
 */
export async function asOwnInstance(
  named: string,
  given: string | undefined,
  command: (own: OwnInstance) => Promise<number>,
): Promise<number> {
  const dir = resolve(named);
  const fault = await explainUnreadable(dir);
  if (fault !== undefined) return refuse(toSafeText(fault));
  const folder = openStateFolder(dir);
  const instance = readInstance(folder.instance);
  if (instance === undefined || !canSign(instance)) return refuse(toSafeText(explainNobody(dir, folder)));
  const url = given ?? readAddress(readDelivery(folder.delivery).collector ?? "");
  if (url === undefined)
    return refuse(
      toSafeText(
        `${dir} does not say where this instance sends to, because nothing was sent yet. Give the collector's address, such as --url https://telemetry.example.org.`,
      ),
    );
  try {
    return await command({ instance, folder, url });
  } catch (error) {
    if (error instanceof Refused || error instanceof NoAnswer) return refuse(toSafeText(error.message));
    throw error;
  }
}

function explainNobody(dir: string, { instance }: StateFolder): string {
  return existsSync(instance)
    ? `${instance} is not of a form that this version of candor knows, so there is nobody to ask as.`
    : `${dir} holds no instance, so there is nobody to ask as. What an installer sent from there carries no instance's id.`;
}

/** Whether the private key works. The file may have been damaged. */
function canSign(instance: Instance): boolean {
  try {
    return instance.sign("") !== "";
  } catch {
    return false;
  }
}

export interface InstanceQuestion {
  readonly action: InstanceAction;
  /** Further fields of the body. */
  readonly more?: { readonly [field: string]: string | number };
  readonly timeoutMs: number;
}

/**
 * Posts a signed request to /v1/instance/<action> as an instance. If the two clocks differ too much, signs
 * the request once more with the collector's time.
 * @throws Refused if the collector refuses the request; NoAnswer for any other failure, such as an answer
 * that is not complete after `timeoutMs`
 */
export async function askAsInstance(
  url: string,
  instance: Instance,
  { action, more = {}, timeoutMs }: InstanceQuestion,
): Promise<Fields> {
  const askAt = (nowMs: number): Promise<Fields> => {
    const signed = signRequest(instance, action, { url: new URL(url), nowMs, more });
    return post(`/v1/instance/${action}`, { "Content-Type": "application/json" }, signed, {
      url,
      timeoutMs,
      toFault: (cause, error) => new NoAnswer(url, cause, error),
    });
  };
  try {
    return await askAt(Date.now());
  } catch (error) {
    const isStale = error instanceof Refused && error.code === "signature_stale";
    if (!isStale || error.dateMs === undefined) throw error;
    return askAt(error.dateMs);
  }
}
