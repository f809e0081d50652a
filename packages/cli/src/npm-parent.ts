/**
 * npx and `npm run` put a shell between themselves and the command, and end with the shell when they are told to: a signal to
 * npm's process never reaches the command, which would keep port and folder. So it watches whether its parent is still there.
 */

const WATCH_MS = 250;
/** What a process gets for a parent when its own has ended, where no other process collects orphans. */
const INIT = 1;

/** The command itself, however it is written: `candor`, `'candor' start`, `node_modules/.bin/candor start`. */
const NAMES_CANDOR = /(?:^|[\s'"/])candor(?:\.js)?(?:['"\s]|$)/;
/** A script that leaves the command behind means to. */
const LEAVES_BEHIND = /(?:^|[^&>])&(?:[^&>\d]|$)|\b(?:nohup|setsid|disown|daemonize)\b/;

/** Whether npm's script is this command, in the foreground. @param script npm's `npm_lifecycle_script` */
export function isNpmForeground(script: string | undefined): boolean {
  return script !== undefined && NAMES_CANDOR.test(script) && !LEAVES_BEHIND.test(script);
}

export interface NpmParentOptions {
  /** npm's `npm_lifecycle_script`. */
  readonly script: string | undefined;
  readonly parentId?: () => number;
  readonly watchMs?: number;
}

/**
 * Resolves when npm, which had started this process, is gone. Never for a process that a shell, systemd, nohup, setsid or a
 * container started: what becomes of their parents is no order to end.
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
