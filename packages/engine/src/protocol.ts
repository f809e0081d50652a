/** Defines what the supervisor and its child process exchange: options, messages and an exit code. */

/** The child's only argument, as JSON. */
export interface ChildOptions {
  dataDir: string;
  socketPath: string;
  niceness: number;
}

/** Sent by the child to the supervisor when the socket accepts connections. */
export interface Listening {
  kind: "listening";
}

/** Sent by the supervisor to the child: finish the requests in flight within `drainMs`, then end. */
export interface CloseCommand {
  kind: "close";
  drainMs: number;
}

/**
 * The child's exit code if it could not open the folder. Usually another engine, whose parent was killed,
 * still holds the folder and is about to end, so it is worthwhile to retry soon.
 */
export const EXIT_OPEN_FAILED = 75;
