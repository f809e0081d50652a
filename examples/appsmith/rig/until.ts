/** For tests: waits for what takes its time to start. */
import { setTimeout as sleep } from "node:timers/promises";

const ASK_AGAIN_MS = 300;

/** Asks until the answer is true. @throws after `withinMs`, with what `explain` returns; whatever `isTrue` throws */
export async function until(
  isTrue: () => Promise<boolean>,
  withinMs: number,
  explain: () => string | Promise<string>,
): Promise<void> {
  for (const deadlineMs = Date.now() + withinMs; !(await isTrue()); await sleep(ASK_AGAIN_MS))
    if (Date.now() > deadlineMs) throw new Error(await explain());
}

/** Whether a GET of the address is answered with a status of success. Never rejects. */
export async function isAnswered(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
