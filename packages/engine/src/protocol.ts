/** Defines the messages between the supervisor and its child. */

/** The child's one argument, as JSON. */
export interface ChildOptions {
  dataDir: string;
  socketPath: string;
  niceness: number;
}

/** Child to supervisor: the socket answers. */
export interface Listening {
  kind: "listening";
}

/** Supervisor to child: finish what is in flight within this time, then end. */
export interface CloseCommand {
  kind: "close";
  drainMs: number;
}

/**
 * The child's exit code if it could not open the folder: usually because the engine of a killed parent is just about
 * to release it, so retrying soon is worthwhile.
 */
export const EXIT_OPEN_FAILED = 75;
