/**
 * Shows the demo's progress: a line that is redrawn on a terminal, or a new line for each tenth elsewhere.
 */

const WIDTH = 30;
const REDRAW_MS = 100;

export interface Progress {
  readonly add: (messages: number) => void;
  /** On a terminal, redraws the bar and ends the line. */
  readonly end: () => void;
}

/** Shows the bar. @param total the number of messages of the whole story */
export function showProgress(total: number, stream: NodeJS.WriteStream = process.stderr): Progress {
  const startedAtMs = Date.now();
  let done = 0;
  let drawnAtMs = 0;
  let tenths = 0;
  const draw = (): void => {
    drawnAtMs = Date.now();
    if (stream.isTTY) stream.write(`\r${renderProgress(done, total, drawnAtMs - startedAtMs)}`);
    else stream.write(`${renderProgress(done, total, drawnAtMs - startedAtMs)}\n`);
  };
  return {
    add: (messages) => {
      done += messages;
      const now = Math.floor((done / total) * 10);
      const isDue = stream.isTTY ? Date.now() - drawnAtMs >= REDRAW_MS : now > tenths;
      tenths = now;
      if (isDue) draw();
    },
    end: () => {
      if (!stream.isTTY) return;
      draw();
      stream.write("\n");
    },
  };
}

/** Renders the line. The numbers are padded, so that a redrawn line covers the one before. */
export function renderProgress(done: number, total: number, elapsedMs: number): string {
  const share = total === 0 ? 1 : Math.min(done / total, 1);
  const filled = Math.floor(share * WIDTH);
  const bar = `${"#".repeat(filled)}${".".repeat(WIDTH - filled)}`;
  const percent = `${Math.floor(share * 100)}%`.padStart(4);
  const all = total.toLocaleString("en");
  const count = done.toLocaleString("en").padStart(all.length);
  return `[${bar}]${percent}  ${count} of ${all} messages  ${Math.round(elapsedMs / 1000)} s`;
}
