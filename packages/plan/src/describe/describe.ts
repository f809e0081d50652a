/** Builds the page "what is collected" from a plan. */
import type { Plan } from "../plan.ts";
import { describeAnonymity, type MeasuredAnonymity } from "./anonymity.ts";
import { describeFixedSections, toSection } from "./fixed-sections.ts";
import {
  type Block,
  type Fact,
  type Line,
  type PlanPage,
  type Section,
  type Table,
  toLine,
  toLink,
} from "./page.ts";
import { describeSource, listSources, SOURCE_TITLES, type SourceEntry } from "./sources.ts";
import { CONSENT_NAMES, IP_NAMES, retentionInWords } from "./words.ts";

/**
 * Creates the page "what is collected". `samples` maps an event's label (`labelOf`) to the JSON text of its
 * sample envelope, which the caller creates with the real pipeline. An event that is not in the map is shown
 * without a sample. `measured` says how anonymous the stored data is; without it, the page says nothing of that. Pure: the
 * same arguments give the same page. Throws a SyntaxError if a sample is
 * not JSON.
 */
export function describePlan(
  plan: Plan,
  samples: ReadonlyMap<string, string>,
  measured?: MeasuredAnonymity,
): PlanPage {
  const sources = listSources(plan);
  return {
    title: `What ${plan.product} collects`,
    lead: [
      ...(plan.about === undefined ? [] : [toText(plan.about)]),
      toText(
        `${plan.product} uses Candor, an open-source telemetry system for software that people host themselves. This page is generated from the plan that Candor's SDKs and collector follow.`,
      ),
    ],
    facts: listFacts(plan),
    sections: [
      toSection("glance", "At a glance", [tabulateSources(sources)]),
      toSection("never", "What is never collected", [
        { kind: "list", ordered: false, items: plan.promises.map(toLine) },
      ]),
      toSection("off", "How to turn it off", [
        { kind: "list", ordered: true, items: plan.turnOff.map(toLine) },
      ]),
      ...sources.map((entry) => describeSource(entry, samples)),
      ...describeAnonymity(measured),
      ...describeFixedSections(plan, sources),
      describeChanges(plan),
    ],
  };
}

function toText(prose: string): Block {
  return { kind: "text", line: toLine(prose) };
}

function listFacts(plan: Plan): readonly Fact[] {
  return [
    { term: "Plan version", line: [String(plan.version)] },
    { term: "Contact", line: [toLink(plan.contact)] },
    { term: "Off switch", line: plan.switches.disable.flatMap(toSwitch) },
  ];
}

function toSwitch(name: string, index: number): Line {
  const code = { code: `${name}=true` };
  return index === 0 ? [code] : [" or ", code];
}

function tabulateSources(sources: readonly SourceEntry[]): Table {
  return {
    kind: "table",
    of: "other",
    caption: "Where messages come from",
    head: ["Source", "Consent", "Events", "IP addresses", "Kept for"],
    rows: sources.map(({ name, source, events }) => [
      [{ link: `#${name}`, text: SOURCE_TITLES[name] }],
      [CONSENT_NAMES[source.consent]],
      source.mode === "observe"
        ? [{ alarm: `${events.length}, and undeclared data` }]
        : [String(events.length)],
      IP_NAMES[source.ip],
      [retentionInWords(source.retentionDays)],
    ]),
  };
}

function describeChanges(plan: Plan): Section {
  const rows = plan.changelog.map(({ version, date, text }) => [[String(version)], [date], toLine(text)]);
  return toSection("changes", "Changes to the plan", [
    {
      kind: "table",
      of: "other",
      caption: "Versions of the plan",
      head: ["Version", "Date", "What changed"],
      rows,
    },
  ]);
}
