/**
 * npx and `npm run` start the command through a shell, and a signal to npm ends npm and that shell but never reaches the
 * command, which would go on holding its port and folder. So the command watches whether its parent is still there.
 */

const WATCH_MS = 250;
/** The parent of an orphan, unless another process adopts orphans. */
const INIT = 1;

/** The command itself, however it is written: `candor`, `'candor' start`, `node_modules/.bin/candor start`. */
const NAMES_CANDOR = /(?:^|[\s'"/])candor(?:\.js)?(?:['"\s]|$)/;
/** A script that puts the command into the background does so on purpose. */
const LEAVES_BEHIND = /(?:^|[^&>])&(?:[^&>\d]|$)|\b(?:nohup|setsid|disown|daemonize)\b/;

/** Whether npm's script runs this command in the foreground. @param script npm's `npm_lifecycle_script` */
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
 * Resolves when the npm that started this process is gone. Never resolves for a process that a shell, systemd, nohup, setsid
 * or a container started: the end of their parent does not mean that they should stop.
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
