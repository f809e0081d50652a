/** Implements `candor import`, which sends a file of messages to a running collector, through its plan. */
import { createReadStream, statSync } from "node:fs";
import { setTimeout as sleep } from "node:timers/promises";
import { refuse, toReachable } from "@candor/node/operator";
import { causeOf, findKeys, type Source, writeKeysOf } from "@candor/server";
import { postBatch } from "./collector.ts";
import { readSettings } from "./environment.ts";
import { readBatches, type Unreadable } from "./import-file.ts";
import { type ProductOption, toMissingSentence } from "./keys.ts";
import { createProgress, endWithReader, print } from "./terminal.ts";

const SHOWN_LINES = 5;
const MAX_TRIES = 8;
const RETRY_MS = 2000;

export interface ImportOptions extends ProductOption {
  /** The source of messages that do not name theirs. */
  readonly source?: Source;
}

/**
 * Imports a file, or standard input. The collector drops what its plan does not declare, and counts a message once
 * however often it is imported within 8 days. Resolves to 0 if all was kept, to 1 if something was not, and to 2 if
 * nothing was sent.
 * @throws Refused, CandorError `unreachable`, `settings_invalid`, and what `findKeys` throws
 */
export async function importFile(
  file: string | undefined,
  { source, product }: ImportOptions,
): Promise<number> {
  endWithReader();
  const config = readSettings();
  const keys = findKeys(config);
  if (keys === undefined) return refuse(toMissingSentence(config));
  const writeKeys = writeKeysOf(keys, config, product);
  if (writeKeys === undefined || (product === undefined && keys.products !== undefined))
    return refuse("This Candor serves several products. Name one with --product; candor keys lists them.");
  const url = toReachable(config.url);
  let totalBytes: number | undefined;
  try {
    totalBytes = file === undefined ? undefined : statSync(file).size;
  } catch (error) {
    return refuse(`${file} cannot be read (${causeOf(error)}).`);
  }
  const unreadable: Unreadables = { count: 0, first: [] };
  const dropped = new Map<string, number>();
  const onUnreadable = (one: Unreadable): void => {
    unreadable.count += 1;
    if (unreadable.first.length < SHOWN_LINES) unreadable.first.push(one);
  };
  const progress = createProgress();
  let accepted = 0;
  const chunks = file === undefined ? process.stdin : createReadStream(file);
  for await (const batch of readBatches(chunks, source, onUnreadable)) {
    const answer = await postUntilTaken(url, writeKeys[batch.source], batch.messages);
    accepted += answer.accepted;
    for (const reason of answer.dropped) dropped.set(reason, (dropped.get(reason) ?? 0) + 1);
    const share =
      totalBytes === undefined ? "" : `${Math.floor((100 * batch.readBytes) / (totalBytes || 1))}%, `;
    progress.show(`${share}${accepted.toLocaleString("en")} messages`);
  }
  progress.end();
  await print(renderResult(accepted, dropped, unreadable));
  return dropped.size + unreadable.count === 0 ? 0 : 1;
}

/** Posts a batch, again while the collector is busy. @throws as `postBatch` does, after MAX_TRIES */
async function postUntilTaken(url: string, writeKey: string, messages: readonly string[]) {
  for (let tries = 1; ; tries += 1) {
    const answer = await postBatch(url, writeKey, messages, tries === MAX_TRIES);
    if (answer !== undefined) return answer;
    await sleep(RETRY_MS);
  }
}

/** The lines that are not messages. Only the first few are kept, because a file may have millions. */
interface Unreadables {
  count: number;
  readonly first: Unreadable[];
}

function renderResult(
  accepted: number,
  dropped: ReadonlyMap<string, number>,
  { count, first }: Unreadables,
): string {
  const reasons = [...dropped]
    .sort(([, a], [, b]) => b - a)
    .map(([reason, messages]) => `  dropped  ${messages} ${reason}\n`);
  const lines = first.map(({ line, why }) => `  line ${line}: ${why}\n`);
  if (count > first.length) lines.push(`  and ${count - first.length} more\n`);
  if (count > 0)
    lines.unshift(
      `Left out ${plural(count, "line")} that ${count === 1 ? "is no message" : "are no messages"}:\n`,
    );
  return `Kept ${plural(accepted, "message")}.\n${reasons.join("")}${lines.join("")}`;
}

function plural(count: number, noun: string): string {
  return `${count} ${noun}${count === 1 ? "" : "s"}`;
}
