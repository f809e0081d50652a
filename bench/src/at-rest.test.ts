import { expect, test } from "vitest";
import { type Cpu, untilQuiet } from "./at-rest.ts";

const POLL_EVERY_MS = 5;

const cpu = (engineMs: number): Cpu => ({ mainThreadMs: 10, inserterMs: 0, otherThreadsMs: 0, engineMs });

/**
 * Creates a `Watched` that returns the given CPU times of the engine, one per reading, and then repeats the
 * last. `hasNothingToDo` returns the given answers, and then true.
 */
function watch(engineMs: readonly number[], nothingToDo: readonly boolean[]) {
  let readings = 0;
  let questions = 0;
  return {
    readCpu: () => cpu(engineMs[Math.min(readings++, engineMs.length - 1)] ?? 0),
    hasNothingToDo: async () => nothingToDo[Math.min(questions++, nothingToDo.length - 1)] ?? true,
    questions: () => questions,
  };
}

test("CPU time counts up to the moment when the processes became quiet", async () => {
  const watched = watch([0, 100, 250, 250], [true]);
  expect(await untilQuiet(watched, 5000, POLL_EVERY_MS)).toEqual({ isAtRest: true, cpu: cpu(250) });
  expect(watched.questions()).toBe(1);
});

test("work after a pause counts, and hasNothingToDo is not called before it is over", async () => {
  const watched = watch([0, 0, 0, 300, 300], [true]);
  expect(await untilQuiet(watched, 5000, POLL_EVERY_MS)).toEqual({ isAtRest: true, cpu: cpu(300) });
  expect(watched.questions()).toBe(1);
});

test("quiet processes are not at rest while the log or a merge has work left", async () => {
  const watched = watch([0], [false, false, true]);
  expect(await untilQuiet(watched, 5000, POLL_EVERY_MS)).toEqual({ isAtRest: true, cpu: cpu(0) });
  expect(watched.questions()).toBe(3);
});

test("after the time limit, the result is not at rest", async () => {
  const watched = watch([0], [false]);
  expect(await untilQuiet(watched, 60, POLL_EVERY_MS)).toEqual({ isAtRest: false, cpu: cpu(0) });
});
