/** Describes a plan's sources on the public page. */
import {
  DEFAULT_MAX_PER_MINUTE,
  type Fields,
  labelOf,
  PLAN_SOURCES,
  type Plan,
  type PlanEvent,
  type PlanSource,
  type PlanSourceName,
} from "../plan.ts";
import { describeEvent } from "./events.ts";
import { tabulateFields } from "./fields.ts";
import { type Block, type Fact, type Section, toLine } from "./page.ts";
import {
  CONSENT_NAMES,
  CONSENT_WORDS,
  IP_WORDS,
  rateInWords,
  retentionInWords,
  USER_AGENT_WORDS,
} from "./words.ts";

export const SOURCE_TITLES: Readonly<Record<PlanSourceName, string>> = {
  installer: "Installer",
  server: "Server",
  client: "Client",
};

export interface SourceEntry {
  readonly name: PlanSourceName;
  readonly source: PlanSource;
  readonly events: readonly PlanEvent[];
}

/** The declared sources in a fixed order, each with its events in the order of the plan. */
export function listSources(plan: Plan): readonly SourceEntry[] {
  return PLAN_SOURCES.flatMap((name) => {
    const source = plan.sources[name];
    if (source === undefined) return [];
    return [{ name, source, events: plan.events.filter((event) => event.sources.includes(name)) }];
  });
}

export function describeSource(entry: SourceEntry, samples: ReadonlyMap<string, string>): Section {
  const { name, source, events } = entry;
  const ids = nameIds(name, events);
  return {
    id: name,
    title: SOURCE_TITLES[name],
    kind: "plain",
    badges: [{ text: source.consent === "notice" ? "with notice" : "opt-in", tone: "plain" }],
    blocks: [
      { kind: "text", line: toLine(source.description) },
      ...warningsOf(source),
      { kind: "facts", facts: listFacts(name, source) },
      ...contextOf(name, source.context),
      ...idsOf(name, source),
    ],
    sections: events.map((event, index) => describeEvent(event, ids[index] ?? name, samples)),
  };
}

/** Creates a unique id for each event, to link to: `server-track-instance-active`. */
function nameIds(source: PlanSourceName, events: readonly PlanEvent[]): readonly string[] {
  const taken = new Map<string, number>();
  return events.map((event) => {
    const id = `${source}-${labelOf(event)
      .toLowerCase()
      .replace(/[^a-z0-9]+/g, "-")}`;
    const count = (taken.get(id) ?? 0) + 1;
    taken.set(id, count);
    return count === 1 ? id : `${id}--${count}`;
  });
}

function warningsOf(source: PlanSource): readonly Block[] {
  const warnings: string[] = [];
  if (source.mode === "observe")
    warnings.push(
      "This source is in mode observe: until that ends, data that this page does not name is kept too.",
    );
  if (source.ip === "keep") warnings.push("IP addresses from this source are kept whole.");
  return warnings.map((warning) => ({ kind: "warning", line: [{ alarm: warning }] }));
}

function listFacts(name: PlanSourceName, source: PlanSource): readonly Fact[] {
  const enforced = [
    "Enforced: Candor's SDKs do not send what this page does not name, and the collector drops it.",
  ];
  return [
    { term: "Consent", line: [`${CONSENT_NAMES[source.consent]}. ${CONSENT_WORDS[source.consent]}`] },
    { term: "IP addresses", line: IP_WORDS[source.ip] },
    { term: "User agents", line: USER_AGENT_WORDS[source.userAgent] },
    { term: "Kept for", line: [`${retentionInWords(source.retentionDays)}, then deleted`] },
    ...(name === "server"
      ? [
          {
            term: "How often",
            line: [`Unless an event says otherwise: ${rateInWords(DEFAULT_MAX_PER_MINUTE)}`],
          },
        ]
      : []),
    { term: "Plan", line: source.mode === "enforce" ? enforced : [{ alarm: "Observed only" }] },
  ];
}

function contextOf(name: PlanSourceName, context: Fields): readonly Block[] {
  const table = tabulateFields(`Context of every message from the ${name}`, context);
  return [table ?? { kind: "text", line: ["Its messages carry no context."] }];
}

function idsOf(name: PlanSourceName, source: PlanSource): readonly Block[] {
  const table = tabulateFields(`Ids in messages from the ${name}`, source.ids as Fields);
  const others =
    "Any other id, or one of another form, is replaced by its keyed hash before anything is written.";
  const addresses = "An id that is an IP address is treated as described above.";
  return [...(table === undefined ? [] : [table]), { kind: "text", line: [`${others} ${addresses}`] }];
}
