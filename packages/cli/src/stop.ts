/** Decides when a command stops: on a signal, or when the npm that started it ends. */
import type { EventEmitter } from "node:events";

/**
 * A second signal within this time belongs to the same Ctrl-C: the terminal sends the signal to the whole
 * process group, and npm, which is in that group, passes it on again.
 */
const ECHO_MS = 500;
/** The exit code that shells report for a process ended by SIGINT. */
const INTERRUPTED = 130;

export interface StopSignalOptions {
  readonly signals?: Pick<EventEmitter, "on">;
  readonly now?: () => number;
  readonly exit?: (code: number) => void;
}

/**
 * Resolves at the first SIGINT or SIGTERM. Any later one ends the process at once, unless it belongs to the
 * same Ctrl-C.
 */
export function awaitStop(options: StopSignalOptions = {}): Promise<void> {
  const { signals = process, now = Date.now, exit = (code) => process.exit(code) } = options;
  return new Promise((resolve) => {
    let firstAtMs: number | undefined;
    const onSignal = (): void => {
      if (firstAtMs === undefined) {
        firstAtMs = now();
        resolve();
      } else if (now() - firstAtMs > ECHO_MS) exit(INTERRUPTED);
    };
    signals.on("SIGINT", onSignal);
    signals.on("SIGTERM", onSignal);
  });
}

const WATCH_MS = 250;
/** The process id of an orphan's parent, unless another process adopts orphans. */
const INIT = 1;

/** Matches the command's name in a script: `candor`, `'candor' start`, `node_modules/.bin/candor start`. */
const NAMES_CANDOR = /(?:^|[\s'"/])candor(?:\.js)?(?:['"\s]|$)/;
/** Matches scripts that put the command into the background on purpose. */
const LEAVES_BEHIND = /(?:^|[^&>])&(?:[^&>\d]|$)|\b(?:nohup|setsid|disown|daemonize)\b/;

/**
 * Whether npm's script runs this command in the foreground.
 * @param script npm's `npm_lifecycle_script`
 */
export function isNpmForeground(script: string | undefined): boolean {
  return script !== undefined && NAMES_CANDOR.test(script) && !LEAVES_BEHIND.test(script);
}

export interface NpmParentOptions {
  /** The value of npm's `npm_lifecycle_script`. */
  readonly script: string | undefined;
  readonly parentId?: () => number;
  readonly watchMs?: number;
}

/**
 * Resolves when the npm that started this process has ended. npx and `npm run` start the command through a
 * shell. A signal to npm ends npm and that shell but never reaches the command, which would keep its port and
 * folder. Never resolves if a shell, systemd, nohup, setsid or a container started the process, because their
 * end does not mean that it should stop.
 */
export function awaitNpmGone({
  script,
  parentId = () => process.ppid,
  watchMs = WATCH_MS,
}: NpmParentOptions): Promise<void> {
  const first = parentId();
  return new Promise((resolve) => {
    if (first === INIT || !isNpmForeground(script)) return;
    const watch = setInterval(() => {
      if (parentId() === first) return;
      clearInterval(watch);
      resolve();
    }, watchMs).unref();
  });
}
