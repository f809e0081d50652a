/** Makes a story from the tables. Pure: the same options make the same story. */
import { makeInstalls } from "./installs.ts";
import { makeInstance } from "./instances.ts";
import { RELEASES, type ReleaseRow, type Story, type StoryOptions, WEEK_MS } from "./story.ts";

export function makeStory(options: StoryOptions): Story {
  const { instances, weeks, endMs } = options;
  const span = { fromMs: endMs - weeks * WEEK_MS, toMs: endMs };
  const releases = RELEASES.map((row: ReleaseRow) => ({
    version: row.version,
    atMs: span.fromMs + row.at * (span.toMs - span.fromMs),
    isPre: row.isPre === true,
    fault: row.fault,
  }));
  const base = { ...options, ...span, releases };
  const fleet = Array.from({ length: instances }, (_, number) => makeInstance(base, number));
  return { ...base, fleet, installs: makeInstalls(base, fleet) };
}
