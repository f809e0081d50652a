import { type KeepAliveState, readKeepAlive, writeKeepAlive } from "./keep-alive.ts";
import { Lease } from "./state/lease.ts";
import type { StateFolder } from "./state/state-folder.ts";

/** Where it stands when the last heartbeat was made, and who makes the next one. */
export interface KeepAlivePlace {
  read(): KeepAliveState;
  /** @throws the file system's error */
  write(state: KeepAliveState): void;
  /** True: this process makes it. @throws the file system's error */
  take(): Promise<boolean>;
  release(): void;
}

/** In the state folder, which restarts and replicas share. */
export function sharedPlace(folder: StateFolder, now: () => number): KeepAlivePlace {
  const lease = new Lease({ path: folder.keepAliveLease, now });
  return {
    read: () => readKeepAlive(folder.keepAlive),
    write: (state) => writeKeepAlive(folder.keepAlive, state),
    take: () => lease.take(),
    release: () => lease.release(),
  };
}

/** In this process alone, for `log` mode: nothing is written. */
export function passingPlace(): KeepAlivePlace {
  let kept: KeepAliveState = { lastAtMs: undefined, boot: undefined };
  return {
    read: () => kept,
    write: (state) => {
      kept = state;
    },
    take: () => Promise.resolve(true),
    release: () => {},
  };
}
