/** Detects that a process has nothing left to do except the SDK's posts, which are then cancelled. */
import { type Clock, machineClock } from "../clock.ts";

/** What the event loop may be waiting for because of the SDK. */
export interface OwnRequests {
  /** Sockets that are connecting. */
  readonly connecting: number;
  /** Sockets with bytes that have not been written yet. */
  readonly writing: number;
}

export interface ExitWatchOptions {
  /**
   * Returns what keeps the event loop alive, as `process.getActiveResourcesInfo()` does. That list lacks DNS
   * queries.
   */
  readonly activeResources: () => readonly string[];
  readonly ownRequests: () => OwnRequests;
  /**
   * Whether the process waits for bytes from a pipe or a terminal: see `isReading`.
   * @default it never does
   */
  readonly isReading?: () => boolean;
  /**
   * Schedules a task without keeping the process alive. @returns a cancel function
   * @default the machine's clock
   */
  readonly later?: Clock["later"];
}

/**
 * Lets a process end if it has nothing left to do. An unref'd socket does not keep the process alive, but a
 * DNS query, a connect or a write in progress does, for seconds. During a post, the watch checks whether only
 * these and the standard streams are left, and no input is awaited. If two checks in a row find that, it
 * cancels the posts, and the process ends.
 */
export interface ExitWatch {
  /**
   * Call this when a post begins, and call the returned function when the post is over.
   * @param cancel ends the post at once
   */
  enter(cancel: () => void): () => void;
  close(): void;
}

const LOOK_MS = 40;
/** A second check must agree before anything is cancelled: a program may be between two steps. */
const SECOND_LOOK_MS = 15;
/**
 * A process with more resources than this is checked less often: listing thousands takes a fraction of a
 * millisecond, and such a process is not about to end.
 */
const MANY_RESOURCES = 500;
const MANY_LOOK_MS = 1000;
/**
 * If the process still runs this long after a cancel, something that the watch cannot see keeps it alive. The
 * watch then stops for good.
 */
const MISTAKE_MS = 1000;

export function createExitWatch({
  activeResources,
  ownRequests,
  isReading = () => false,
  later = machineClock.later,
}: ExitWatchOptions): ExitWatch {
  const posts = new Set<() => void>();
  let looking: (() => void) | undefined;
  let awaitingEnd: (() => void) | undefined;
  let isOff = false;

  const stop = (): void => {
    looking?.();
    looking = undefined;
  };
  const lookIn = (delayMs: number, isSecond = false): void => {
    looking = later(delayMs, () => look(isSecond));
  };
  const cancelAll = (): void => {
    stop();
    awaitingEnd = later(MISTAKE_MS, () => {
      isOff = true;
    });
    for (const cancel of [...posts]) cancel();
  };
  const look = (isSecond: boolean): void => {
    const resources = activeResources();
    if (!isAllOurs(resources, ownRequests()) || isReading()) {
      lookIn(resources.length > MANY_RESOURCES ? MANY_LOOK_MS : LOOK_MS);
    } else if (isSecond) cancelAll();
    else lookIn(SECOND_LOOK_MS, true);
  };
  return {
    enter(cancel) {
      posts.add(cancel);
      if (!isOff && awaitingEnd === undefined && looking === undefined) lookIn(LOOK_MS);
      return () => {
        posts.delete(cancel);
        if (posts.size === 0) stop();
      };
    },
    close() {
      isOff = true;
      stop();
      awaitingEnd?.();
    },
  };
}

/**
 * Whether the process waits for input from a pipe, a terminal, or the channel to its parent. The names of
 * resources do not show that: a standard stream has the same name whether it is being read or not.
 */
export function isReading(): boolean {
  const list: unknown = Reflect.get(process, "_getActiveHandles");
  const handles: unknown = typeof list === "function" ? Reflect.apply(list, process, []) : [];
  return Array.isArray(handles) && handles.some(isAwaited);
}

/**
 * A stream's handle says whether it is being read. The channel to a parent is a bare handle, which is listed
 * only while somebody listens to it.
 */
function isAwaited(handle: unknown): boolean {
  if (typeof handle !== "object" || handle === null) return false;
  if (!("_handle" in handle)) return handle.constructor.name === "Pipe";
  const inner = handle._handle;
  return typeof inner === "object" && inner !== null && "reading" in inner && inner.reading === true;
}

const STANDARD_STREAMS = new Set(["PipeWrap", "TTYWrap"]);

/** Whether only the standard streams and the SDK's own requests are left. */
function isAllOurs(resources: readonly string[], own: OwnRequests): boolean {
  let { connecting, writing } = own;
  return resources.every((name) => {
    if (STANDARD_STREAMS.has(name)) return true;
    if (name.endsWith("ConnectWrap")) return connecting-- > 0;
    return name.endsWith("WriteWrap") && writing-- > 0;
  });
}
