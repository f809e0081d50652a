import { expect, test } from "vitest";
import { createLane } from "./lane.ts";

const forever = new AbortController().signal;

/** A job that ends when told to. */
function heldJob(name: string, started: string[]) {
  let end = () => {};
  const ended = new Promise<void>((resolve) => {
    end = resolve;
  });
  const job = async () => {
    started.push(name);
    await ended;
    return name;
  };
  return { job, end };
}

test("jobs start in the order of their coming, so many at once, and a full line is refused", async () => {
  const started: string[] = [];
  const lane = createLane({ maxRunning: 1, maxWaiting: 2 });
  const [a, b, c] = ["a", "b", "c"].map((name) => heldJob(name, started)) as [
    ReturnType<typeof heldJob>,
    ReturnType<typeof heldJob>,
    ReturnType<typeof heldJob>,
  ];
  const runs = [a, b, c].map(({ job }) => lane.run(job, forever));
  await expect(lane.run(a.job, forever)).rejects.toMatchObject({ type: "TOO_MANY_SIMULTANEOUS_QUERIES" });
  expect(started).toEqual(["a"]);
  a.end();
  await runs[0];
  await expect.poll(() => started).toEqual(["a", "b"]);
  b.end();
  c.end();
  expect(await Promise.all(runs)).toEqual(["a", "b", "c"]);
});

test("a job whose asker has gone leaves the line, and one that fails leaves its place", async () => {
  const started: string[] = [];
  const lane = createLane({ maxRunning: 1, maxWaiting: 2 });
  const gone = new AbortController();
  const failing = lane.run(() => Promise.reject(new Error("no")), forever);
  const leaving = lane.run(heldJob("leaving", started).job, gone.signal);
  gone.abort();
  await expect(failing).rejects.toThrow("no");
  await expect(leaving).rejects.toMatchObject({ type: "QUERY_WAS_CANCELLED" });
  expect(await lane.run(async () => "next", forever)).toBe("next");
  expect(started).toEqual([]);
});
