import { afterEach, beforeEach, describe, expect, it, vi } from "vitest";
import { createExitWatch, type OwnRequests } from "./exit-watch.ts";

beforeEach(() => void vi.useFakeTimers());
afterEach(() => void vi.useRealTimers());

function later(afterMs: number, task: () => void): () => void {
  const timer = setTimeout(task, afterMs);
  return () => clearTimeout(timer);
}

/**
 * Creates a watch over a process that shows the next of these lists of resources at each check; the last list
 * repeats.
 */
function watching(looks: readonly (readonly string[])[], own: OwnRequests = { connecting: 0, writing: 0 }) {
  let count = 0;
  const cancelled: string[] = [];
  const watch = createExitWatch({
    activeResources: () => looks[Math.min(count++, looks.length - 1)] ?? [],
    ownRequests: () => own,
    later,
  });
  return {
    watch,
    cancelled,
    enter: (name: string) => watch.enter(() => cancelled.push(name)),
    looks: () => count,
  };
}

describe("the exit watch", () => {
  it.each<[left: string[], own: OwnRequests, isCancelled: boolean]>([
    [[], { connecting: 0, writing: 0 }, true],
    [["PipeWrap", "TTYWrap", "PipeWrap"], { connecting: 0, writing: 0 }, true],
    [["TCPConnectWrap"], { connecting: 1, writing: 0 }, true],
    [["ConnectWrap", "SimpleWriteWrap"], { connecting: 1, writing: 1 }, true],
    [["ConnectWrap", "ConnectWrap"], { connecting: 1, writing: 1 }, false],
    [["SimpleWriteWrap"], { connecting: 1, writing: 0 }, false],
    [["Timeout"], { connecting: 1, writing: 1 }, false],
    [["TCPServerWrap"], { connecting: 1, writing: 1 }, false],
    [["PipeWrap", "FSReqPromise"], { connecting: 1, writing: 1 }, false],
    [["GetAddrInfoReqWrap"], { connecting: 1, writing: 1 }, false],
  ])("with %j left, of which %j are ours, cancels: %j", (left, own, isCancelled) => {
    const { enter, cancelled } = watching([left], own);
    enter("a");
    enter("b");
    vi.advanceTimersByTime(10_000);
    expect(cancelled).toEqual(isCancelled ? ["a", "b"] : []);
  });

  it("cancels nothing while a stream is read", () => {
    const cancelled: string[] = [];
    const watch = createExitWatch({
      activeResources: () => ["PipeWrap"],
      ownRequests: () => ({ connecting: 0, writing: 0 }),
      isReading: () => true,
      later,
    });
    watch.enter(() => cancelled.push("a"));
    vi.advanceTimersByTime(10_000);
    expect(cancelled).toEqual([]);
  });

  it("cancels only if a second check agrees", () => {
    const { enter, cancelled, looks } = watching([[], ["Timeout"], ["Timeout"], [], []]);
    enter("a");
    while (looks() < 4) vi.advanceTimersByTime(5);
    expect(cancelled).toEqual([]);
    while (looks() < 5) vi.advanceTimersByTime(5);
    expect(cancelled).toEqual(["a"]);
  });

  it("checks nothing while no post is in progress", () => {
    const { enter, looks } = watching([["Timeout"]]);
    const leave = enter("a");
    leave();
    vi.advanceTimersByTime(10_000);
    expect([looks(), vi.getTimerCount()]).toEqual([0, 0]);
  });

  it("checks a process with many resources less often", () => {
    const looksIn = (count: number): number => {
      const { enter, looks } = watching([Array<string>(count).fill("Timeout")]);
      enter("a");
      vi.advanceTimersByTime(10_000);
      return looks();
    };
    expect(looksIn(5000) * 10).toBeLessThan(looksIn(5));
  });

  it("never cancels again if the process continued after a cancel", () => {
    const { enter, cancelled } = watching([["PipeWrap"]]);
    const leave = enter("first");
    vi.advanceTimersByTime(200);
    leave();
    const leaveSecond = enter("second");
    vi.advanceTimersByTime(10_000);
    leaveSecond();
    enter("third");
    vi.advanceTimersByTime(10_000);
    expect(cancelled).toEqual(["first"]);
  });

  it("has no timer once it is closed", () => {
    const { enter, watch } = watching([["PipeWrap"]]);
    enter("a");
    watch.close();
    enter("b");
    expect(vi.getTimerCount()).toBe(0);
  });
});
