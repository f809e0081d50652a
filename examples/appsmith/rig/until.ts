/** For tests: waits until a condition holds, such as that a server answers. */
import { setTimeout as sleep } from "node:timers/promises";

const ASK_AGAIN_MS = 300;

/**
 * Waits until `isTrue` resolves to true.
 * @throws Error with the text of `explain` after `withinMs`, or any error of `isTrue`
 */
export async function until(
  isTrue: () => Promise<boolean>,
  withinMs: number,
  explain: () => string | Promise<string>,
): Promise<void> {
  for (const deadlineMs = Date.now() + withinMs; !(await isTrue()); await sleep(ASK_AGAIN_MS))
    if (Date.now() > deadlineMs) throw new Error(await explain());
}

/** Whether a GET of the URL is answered with a 2xx status. Never rejects. */
export async function isAnswered(url: string): Promise<boolean> {
  return fetch(url).then(
    ({ ok }) => ok,
    () => false,
  );
}
