/** How the supervisor and its child talk. */

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

/** Supervisor to child: answer what is in flight for at most this long, then end. */
export interface CloseCommand {
  kind: "close";
  drainMs: number;
}

/**
 * The child's exit code when it could not open the folder: mostly because the engine of a killed parent is just leaving it,
 * so it is worth trying again soon.
 */
export const EXIT_OPEN_FAILED = 75;
