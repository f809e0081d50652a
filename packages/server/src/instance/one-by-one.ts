/** Runs tasks in the order in which they were asked for, one at a time. */
export type OneByOne<Result> = (name: string, task: () => Promise<Result>) => Promise<Result>;

/**
 * For work of which everybody may ask, and of which two at once would be too much. Who asks for what waits under that name
 * already shares it: of one name at most one runs and one waits.
 */
export function createOneByOne<Result>(): OneByOne<Result> {
  const waiting = new Map<string, Promise<Result>>();
  let last: Promise<unknown> = Promise.resolve();
  return (name, task) => {
    const shared = waiting.get(name);
    if (shared !== undefined) return shared;
    const result = last.then(() => {
      waiting.delete(name);
      return task();
    });
    waiting.set(name, result);
    last = result.catch(() => undefined);
    return result;
  };
}
