/** Renders what the demo prints at its end: what it sent, and where to look at it. */
import type { Collector } from "./collector.ts";
import { type Counts, type StoryCounts, total } from "./count-story.ts";
import { HOUR_MS, type Story } from "./story.ts";

export interface Played {
  readonly story: Story;
  readonly counts: StoryCounts;
  readonly stored: number;
  readonly elapsedMs: number;
}

/** Renders the text. @param tail the command that shows messages as they arrive */
export function renderFirstLook(played: Played, collector: Collector, tail: string): string {
  const { story, counts, elapsedMs } = played;
  const { instances, weeks, seed } = story;
  return [
    "",
    `Played ${instances} instances over ${weeks} weeks in ${Math.round(elapsedMs / 1000)} s (seed ${seed}).`,
    "",
    ...listNumbers(played).map(([label, text]) => `  ${label.padEnd(10)}  ${text}`),
    "",
    "Look at it:",
    "  What is collected, as everybody can read it:",
    `    ${collector.url}/privacy`,
    ...listQuestions(story, counts).flatMap(({ says, path }) => [
      `  ${says}:`,
      `    curl -sS '${collector.url}${path}' -H 'Authorization: Bearer ${collector.keys.adminToken}'`,
    ]),
    "  What arrives while you send something yourself:",
    `    ${tail}`,
    "",
  ].join("\n");
}

function listNumbers({ counts, stored }: Played): readonly (readonly [label: string, text: string])[] {
  const { messages, heartbeats, actions, browserEvents, installer, alive, installErrors } = counts;
  const success = installer["Installation Success"] ?? 0;
  const rows: (readonly [label: string, text: string])[] = [
    [
      "Messages",
      `${format(messages)} sent, ${format(stored)} stored: ${format(heartbeats)} heartbeats, ${format(actions)} actions, ${format(browserEvents)} of browsers, ${format(total(installer))} of installers`,
    ],
    [
      "Instances",
      `${total(alive)} alive (${list(alive)}), ${counts.lateOrLapsed} late or lapsed, ${counts.gone} gone`,
    ],
    [
      "Installs",
      `${installer["Installation Started"] ?? 0} started: ${success} succeeded, ${total(installErrors)} failed, ${counts.silentInstalls} silent, ${installer["Installation Support"] ?? 0} people asked for help`,
    ],
    ["Errors", list(installErrors)],
    ["Copies", `${counts.copied} instances were copied and run in two places under one id`],
    ["Refusals", `${counts.refused} operators said No: nothing of their instances was sent`],
  ];
  const bad = findFault(counts.faults);
  if (bad === undefined) return rows;
  const { at, before } = bad;
  return [
    ...rows,
    [
      "Regression",
      `MongoDB actions fail: ${share(before)} in ${before.version}, ${share(at)} in ${at.version}`,
    ],
  ];
}

interface Question {
  readonly says: string;
  /** A path of the read API, with its query. */
  readonly path: string;
}

function listQuestions(
  { fromMs, endMs }: Story,
  { installer, faults, copied }: StoryCounts,
): readonly Question[] {
  const event = (name: string): string => `event=${encodeURIComponent(name)}`;
  const recent = new Date(endMs - 7 * HOUR_MS).toISOString();
  const [from, to] = [fromMs, endMs].map((atMs) => new Date(atMs).toISOString().slice(0, 10));
  const bad = findFault(faults)?.at;
  const failed = `${event("execute_ACTION_TRIGGERED")}&properties.pluginName=MongoDB&properties.isSuccessfulExecution=false`;
  return [
    {
      says: "Heartbeats of production in the last 7 hours, one or two of each instance that is alive",
      path: `/api/count?${event("Instance Active")}&properties.environment=production&from=${recent}`,
    },
    {
      says: `Installs that succeeded (${installer["Installation Success"] ?? 0})`,
      path: `/api/count?${event("Installation Success")}`,
    },
    { says: "The newest install that failed", path: `/api/events?${event("Installation Errors")}&limit=1` },
    ...(bad === undefined
      ? []
      : [
          {
            says: `Failed MongoDB actions of ${bad.version} (${bad.failed} of ${bad.all})`,
            path: `/api/count?${failed}&properties.version=${bad.version}`,
          },
        ]),
    { says: `Copied instances (${copied})`, path: `/api/reports/instances?from=${from}&to=${to}` },
    { says: "People who asked for help, held apart from all events", path: "/api/contacts" },
  ];
}

type FaultRow = StoryCounts["faults"][number];

/**
 * The version with the highest share of failed actions, and the version before it; undefined if there is no
 * such pair. Only releases with at least 20 actions count, and no pre-releases.
 */
function findFault(
  rows: StoryCounts["faults"],
): { readonly at: FaultRow; readonly before: FaultRow } | undefined {
  const known = rows.filter(({ all, version }) => all >= 20 && !version.includes("-"));
  const [at] = [...known].sort((one, other) => other.failed / other.all - one.failed / one.all);
  const before = at === undefined ? undefined : known[known.indexOf(at) - 1];
  return at === undefined || before === undefined ? undefined : { at, before };
}

function share({ failed, all }: FaultRow): string {
  return `${((failed / all) * 100).toFixed(1)}% of ${format(all)}`;
}

function list(counts: Counts): string {
  const rows = Object.entries(counts).sort(([, one], [, other]) => other - one);
  return rows.map(([name, count]) => `${format(count)} ${name}`).join(", ");
}

function format(count: number): string {
  return count.toLocaleString("en");
}
