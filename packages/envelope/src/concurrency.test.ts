import { setImmediate as nextTurn } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { Semaphore, SingleFlight } from "./concurrency.ts";

/** A task that ends when the test calls `end`. */
function heldTask(name: string, started: string[] = []) {
  let end = (): void => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const task = async (): Promise<string> => {
    started.push(name);
    await ended;
    return name;
  };
  return { task, end };
}

const fails = (): Promise<never> => Promise.reject(new Error("away"));

describe("a semaphore", () => {
  it("runs at most `permits` tasks at a time, queues others in order, and refuses more than maxWaiting", async () => {
    const started: string[] = [];
    const semaphore = new Semaphore({ permits: 2, maxWaiting: 2 });
    const tasks = ["a", "b", "c", "d"].map((name) => heldTask(name, started));
    const runs = tasks.map(({ task }) => semaphore.run(task));
    expect(semaphore.run(async () => "e")).toBeUndefined();
    expect([started, semaphore.waiting]).toEqual([["a", "b"], 2]);
    tasks[1]?.end();
    await runs[1];
    await nextTurn();
    expect([started, semaphore.waiting]).toEqual([["a", "b", "c"], 1]);
    for (const { end } of tasks) end();
    expect(await Promise.all(runs)).toEqual(["a", "b", "c", "d"]);
    expect(await semaphore.run(async () => "e")).toBe("e");
  });

  it("frees the permit of a task that rejects or throws synchronously", async () => {
    const semaphore = new Semaphore({ permits: 1, maxWaiting: 0 });
    const throws = (): Promise<never> => {
      throw new Error("at once");
    };
    await expect(semaphore.run(fails)).rejects.toThrow("away");
    await expect(semaphore.run(throws)).rejects.toThrow("at once");
    expect(await semaphore.run(async () => "next")).toBe("next");
  });

  it("rejects waiting tasks with the signal's reason when it aborts, but not a running task", async () => {
    const started: string[] = [];
    const semaphore = new Semaphore({ permits: 1, maxWaiting: 2 });
    const gone = new AbortController();
    const running = heldTask("running", started);
    const leaving = heldTask("leaving", started);
    const staying = heldTask("staying", started);
    const runs = [running, leaving, staying].map(({ task }) => semaphore.run(task, gone.signal));
    const other = semaphore.run(async () => "other");
    expect(other).toBeUndefined();
    gone.abort(new Error("gone"));
    await expect(runs[1]).rejects.toThrow("gone");
    await expect(runs[2]).rejects.toThrow("gone");
    await expect(semaphore.run(leaving.task, gone.signal)).rejects.toThrow("gone");
    running.end();
    expect(await runs[0]).toBe("running");
    expect(started).toEqual(["running"]);
    expect(await semaphore.run(async () => "next")).toBe("next");
  });

  it("passes a free permit to the queue, so that a new task cannot overtake waiting ones", async () => {
    const started: string[] = [];
    const semaphore = new Semaphore({ permits: 1, maxWaiting: 2 });
    const first = heldTask("first", started);
    const runs = [semaphore.run(first.task), semaphore.run(async () => started.push("second"))];
    first.end();
    await runs[0];
    runs.push(semaphore.run(async () => started.push("third")));
    await Promise.all(runs);
    expect(started).toEqual(["first", "second", "third"]);
  });

  it("stops listening to the signal once the task runs", async () => {
    const semaphore = new Semaphore({ permits: 1, maxWaiting: 1 });
    const { signal } = new AbortController();
    let listeners = 0;
    const add = signal.addEventListener.bind(signal);
    const remove = signal.removeEventListener.bind(signal);
    signal.addEventListener = (...args: Parameters<typeof add>) => {
      listeners += 1;
      add(...args);
    };
    signal.removeEventListener = (...args: Parameters<typeof remove>) => {
      listeners -= 1;
      remove(...args);
    };
    const first = heldTask("first");
    const runs = [semaphore.run(first.task, signal), semaphore.run(async () => "second", signal)];
    expect(listeners).toBe(1);
    first.end();
    expect(await Promise.all(runs)).toEqual(["first", "second"]);
    expect(listeners).toBe(0);
  });
});

describe("a single flight", () => {
  /** A flight whose runs each end when the test says so, with their number as the result. */
  function openFlight(options?: ConstructorParameters<typeof SingleFlight>[1]) {
    const ends: ((error?: Error) => void)[] = [];
    const flight = new SingleFlight(() => {
      const number = ends.length + 1;
      return new Promise<number>((resolve, reject) => {
        ends.push((error) => (error === undefined ? resolve(number) : reject(error)));
      });
    }, options);
    return { flight, ends };
  }

  it("is shared by all callers while it runs", async () => {
    const { flight, ends } = openFlight();
    const answers = [flight.run(), flight.run(), flight.run()];
    ends[0]?.();
    expect(await Promise.all(answers)).toEqual([1, 1, 1]);
    const later = flight.run();
    ends[1]?.();
    expect(await later).toBe(2);
  });

  it("that fails is rejected for all of its callers, but not for later ones", async () => {
    const { flight, ends } = openFlight();
    const outcomes = Promise.allSettled([flight.run(), flight.run()]);
    ends[0]?.(new Error("away"));
    expect((await outcomes).map(({ status }) => status)).toEqual(["rejected", "rejected"]);
    const later = flight.run();
    ends[1]?.();
    expect(await later).toBe(2);
  });

  it("starts one further run for all callers of runAfresh during a run", async () => {
    const { flight, ends } = openFlight();
    const first = flight.runAfresh();
    const next = [flight.runAfresh(), flight.runAfresh()];
    expect(ends).toHaveLength(1);
    ends[0]?.(new Error("away"));
    await expect(first).rejects.toThrow("away");
    await nextTurn();
    expect(ends).toHaveLength(2);
    const third = flight.runAfresh();
    ends[1]?.();
    expect(await Promise.all(next)).toEqual([2, 2]);
    await nextTurn();
    ends[2]?.();
    expect([await third, ends.length]).toEqual([3, 3]);
  });

  it("starts only one run if a caller asks at the moment when a run ends", async () => {
    const { flight, ends } = openFlight();
    const again = flight.run().then(() => flight.run());
    const next = flight.runAfresh();
    ends[0]?.();
    await nextTurn();
    expect(ends).toHaveLength(2);
    ends[1]?.();
    expect(await Promise.all([again, next])).toEqual([2, 2]);
  });

  it("whose task throws synchronously does not count as running", async () => {
    let runs = 0;
    const flight = new SingleFlight((): Promise<number> => {
      runs += 1;
      if (runs === 1) throw new Error("at once");
      return Promise.resolve(runs);
    });
    await expect(flight.run()).rejects.toThrow("at once");
    expect(await flight.run()).toBe(2);
  });

  it("keeps its result for keepMs, even a failure", async () => {
    let nowMs = 0;
    const { flight, ends } = openFlight({ keepMs: 1000, clockMs: () => nowMs });
    const first = flight.run();
    ends[0]?.();
    expect([await first, await flight.run()]).toEqual([1, 1]);
    nowMs = 999;
    expect(await flight.run()).toBe(1);
    nowMs = 1000;
    const second = flight.run();
    ends[1]?.(new Error("full"));
    await expect(second).rejects.toThrow("full");
    await expect(flight.run()).rejects.toThrow("full");
    nowMs = 5000;
    const third = flight.run();
    nowMs = 7000; // the third run is still in progress after keepMs, so no other run is started
    expect(ends).toHaveLength(3);
    const fourth = flight.run();
    ends[2]?.();
    expect(await Promise.all([third, fourth])).toEqual([3, 3]);
    expect(ends).toHaveLength(3);
  });
});
