/**
 * Wraps a call so that it runs at most once in `everyMs`, and gives the last answer in between.
 * @param clockMs any steady clock
 */
export function rarely<Answer>(
  call: () => Promise<Answer>,
  everyMs: number,
  clockMs: () => number = () => performance.now(),
): () => Promise<Answer> {
  let last: { readonly atMs: number; readonly answer: Promise<Answer> } | undefined;
  return () => {
    if (last === undefined || clockMs() - last.atMs >= everyMs) last = { atMs: clockMs(), answer: call() };
    return last.answer;
  };
}
