/**
 * The benchmark's `browser` part, which measures the browser SDK and its peers in Chromium. All pages use the
 * same sink.
 */
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { fileURLToPath } from "node:url";
import { brotliCompressSync } from "node:zlib";
import { type Browser, type BrowserContext, launch, type Page } from "puppeteer-core";
import { rolldown } from "rolldown";
import { fetchBrowserPeers } from "../../../scripts/npm-cache.mjs";
import { findProgram } from "../../../scripts/programs.mjs";
import { median } from "../latencies.ts";
import { clicksIn, type Sink, startSink } from "./sink.ts";
import { SUBJECT_NAMES, SUBJECTS, type SubjectName } from "./subjects.ts";

const CLICKS = 1000;
const LAST_CLICKS = 100;
const SETTLE_MS = 1500;
/** Long enough for the slowest SDK's flush timer. */
const ARRIVE_MS = 6000;
const RETRY_MS = 15_000;
const CANDOR = fileURLToPath(new URL("../../../packages/browser/dist/candor.iife.js", import.meta.url));
const { BENCH_UMAMI_SCRIPT: UMAMI } = process.env;
const NAMES = SUBJECT_NAMES.filter((name) => name !== "umami" || UMAMI !== undefined);

export interface BrowserFigures {
  readonly name: SubjectName;
  readonly bytes: number;
  readonly requestsBefore: number;
  readonly cookiesBefore: number;
  readonly entriesBefore: number;
  readonly cookiesAfter: number;
  readonly entriesAfter: number;
  /** Main-thread time for CLICKS clicks, minus the time for the same clicks without an SDK. */
  readonly clicksMs: number;
  /** How many of these clicks had not arrived ARRIVE_MS after the last one, although the page stayed open. */
  readonly clicksLost: number;
  /**
   * How many of LAST_CLICKS clicks had not arrived ARRIVE_MS after the tab was closed, which was immediately
   * after the last click.
   */
  readonly lost: number;
  /**
   * For LAST_CLICKS clicks, where the first request with a click gets no answer: `copies` is how many clicks
   * too many a collector would count, and `lostInRetry` is how many clicks had not arrived after RETRY_MS.
   */
  readonly copies: number;
  readonly lostInRetry: number;
}

interface Bench {
  readonly browser: Browser;
  readonly sink: Sink;
  readonly rounds: number;
}

export async function measureBrowserSdks(rounds: number): Promise<readonly BrowserFigures[]> {
  const executablePath = findProgram("chromium");
  if (executablePath === undefined) throw new Error("There is no chromium on this machine.");
  const sink = await startSink();
  const only = `MAP * ~NOTFOUND, EXCLUDE 127.0.0.1`;
  const args = [
    "--no-sandbox",
    `--host-resolver-rules=${only}`,
    "--disable-background-networking",
    "--ignore-certificate-errors",
  ];
  const browser = await launch({ executablePath, headless: true, args });
  try {
    const bench = { browser, sink, rounds };
    const sizes = await bundleAll(sink);
    const figures: BrowserFigures[] = [];
    const empty = await measureClicks(bench, "empty");
    for (const name of NAMES) {
      console.error(`measuring: ${SUBJECTS[name].title}`);
      const before = await lookAt(bench, name, "waiting");
      const after = await lookAt(bench, name, "started");
      const clicks = await measureClicks(bench, name);
      figures.push({
        name,
        bytes: sizes[name],
        requestsBefore: before.requests,
        cookiesBefore: before.cookies,
        entriesBefore: before.entries,
        cookiesAfter: after.cookies,
        entriesAfter: after.entries,
        clicksMs: clicks.ms - empty.ms,
        clicksLost: clicks.lost,
        lost: await medianOf(rounds, () => lostAtClose(bench, name)),
        ...(await copiesAfterRetry(bench, name)),
      });
    }
    return figures;
  } finally {
    await browser.close();
    sink.close();
  }
}

const PAGE = (
  script: string,
) => `<!doctype html><meta charset="utf-8"><title>Bench</title><link rel="icon" href="data:,">
<button id="b" data-telemetry="DEPLOY_CLICK" data-umami-event="DEPLOY_CLICK">Deploy</button>
<script>
  window.ORIGIN = location.origin;
  window.bench = { onClick: undefined, next: 0 };
  const button = document.getElementById("b");
  bench.click = () => { const id = "click-" + location.hash.slice(1) + "-" + bench.next++; button.dataset.telemetryId = button.dataset.umamiEventId = id; bench.id = id; button.click(); };
  button.addEventListener("click", () => bench.onClick?.(bench.id));
</script>${script}`;

/**
 * Puts the pages and scripts of all SDKs into the sink.
 * @returns for each SDK, the size of its script in bytes, after brotli
 */
async function bundleAll(sink: Sink): Promise<Readonly<Record<SubjectName, number>>> {
  const folder = fetchBrowserPeers(
    SUBJECT_NAMES.flatMap((name) => {
      const { title, npm } = SUBJECTS[name];
      return npm === undefined ? [] : [`${title}@${npm}`];
    }),
  );
  sink.files.set("/empty", PAGE(""));
  const sizes: Partial<Record<SubjectName, number>> = {};
  for (const name of NAMES) {
    for (const state of ["started", "waiting"] as const) {
      const { npm, [state]: source } = SUBJECTS[name];
      const code = npm === undefined ? source : await bundle(folder, source);
      const own =
        name === "candor"
          ? readFileSync(CANDOR, "utf8")
          : name === "umami"
            ? readFileSync(UMAMI ?? "", "utf8")
            : "";
      sink.files.set(`/${name}-${state}.js`, `${own}\n${code}`);
      sink.files.set(
        `/${name}-${state}`,
        PAGE(`<script src="/${name}-${state}.js" data-website-id="w"></script>`),
      );
      if (state === "started") sizes[name] = brotliCompressSync(own === "" ? code : own).length;
    }
  }
  return sizes as Record<SubjectName, number>;
}

async function bundle(folder: string, code: string): Promise<string> {
  const dir = mkdtempSync(join(folder, "entry-"));
  try {
    const input = join(dir, "entry.js");
    writeFileSync(input, code);
    const built = await rolldown({
      input,
      logLevel: "silent",
      transform: { target: "es2020", define: { "process.env.NODE_ENV": '"production"' } },
    });
    const { output } = await built.generate({ format: "iife", minify: true, codeSplitting: false });
    await built.close();
    return output[0].code;
  } finally {
    rmSync(dir, { recursive: true });
  }
}

let runs = 0;

/** Empties the sink's records, opens a page in a fresh profile, and lets the page settle. */
async function open(
  { browser, sink }: Bench,
  path: string,
): Promise<{ context: BrowserContext; page: Page }> {
  sink.requests.length = 0;
  sink.unanswered = 0;
  runs += 1; // distinguishes this page's clicks from those that an earlier page still sends
  const context = await browser.createBrowserContext();
  const page = await context.newPage();
  await page.goto(`${sink.url}/${path}#${runs}`);
  await sleep(SETTLE_MS);
  return { context, page };
}

async function lookAt(bench: Bench, name: SubjectName, state: "started" | "waiting") {
  const { context, page } = await open(bench, `${name}-${state}`);
  await page.evaluate("bench.click()");
  await sleep(SETTLE_MS);
  const entries = await page.evaluate(
    "(async () => localStorage.length + sessionStorage.length + (await indexedDB.databases()).length)()",
  );
  const cookies = (await context.cookies()).length;
  await context.close();
  return { requests: bench.sink.requests.length, cookies, entries: Number(entries) };
}

async function measureClicks(bench: Bench, name: SubjectName | "empty") {
  const lost: number[] = [];
  const ms = await medianOf(bench.rounds, async () => {
    const { context, page } = await open(bench, name === "empty" ? "empty" : `${name}-started`);
    const before = await page.metrics();
    await page.evaluate(
      `(async () => { for (let i = 0; i < ${CLICKS}; i++) { bench.click(); if (i % 10 === 9) await new Promise((done) => setTimeout(done)); } })()`,
    );
    const after = await page.metrics();
    if (name !== "empty") await sleep(ARRIVE_MS);
    lost.push(CLICKS - new Set(arrivals(bench.sink).map(({ click }) => click)).size);
    await context.close();
    return ((after.TaskDuration ?? 0) - (before.TaskDuration ?? 0)) * 1000;
  });
  return { ms, lost: median(lost) };
}

async function lostAtClose(bench: Bench, name: SubjectName): Promise<number> {
  const { context, page } = await open(bench, `${name}-started`);
  const keeper = await context.newPage(); // the profile must outlive the tab
  await page.evaluate(`for (let i = 0; i < ${LAST_CLICKS}; i++) bench.click()`);
  await page.close();
  await sleep(ARRIVE_MS);
  await keeper.close();
  await context.close();
  return LAST_CLICKS - new Set(arrivals(bench.sink).map(({ click }) => click)).size;
}

async function copiesAfterRetry(bench: Bench, name: SubjectName) {
  const { context, page } = await open(bench, `${name}-started`);
  bench.sink.unanswered = 1;
  await page.evaluate(`for (let i = 0; i < ${LAST_CLICKS}; i++) bench.click()`);
  await sleep(RETRY_MS);
  await context.close();
  const all = arrivals(bench.sink);
  const counted = new Set(all.map(({ click, messageId }, index) => `${click} ${messageId ?? index}`));
  const clicks = new Set(all.map(({ click }) => click)).size;
  return { copies: counted.size - clicks, lostInRetry: LAST_CLICKS - clicks };
}

/** The clicks received from the page that was opened last. */
const arrivals = ({ requests }: Sink) =>
  requests.flatMap(({ body }) => clicksIn(body)).filter(({ click }) => click.startsWith(`click-${runs}-`));

async function medianOf(rounds: number, measure: () => Promise<number>): Promise<number> {
  const values: number[] = [];
  for (let round = 0; round < rounds; round += 1) values.push(await measure());
  return median(values);
}
