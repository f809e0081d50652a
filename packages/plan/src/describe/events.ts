/** Describes one event on the public page. */
import { DEFAULT_MAX_PER_MINUTE, labelOf, type PlanEvent, rootOf } from "../plan.ts";
import { badgesOf, tabulateFields } from "./fields.ts";
import { type Block, type Fact, type Section, toLine, toLink } from "./page.ts";
import { CONSENT_NAMES, CONSENT_WORDS, rateInWords } from "./words.ts";

/** Returns the card of one event. `samples` is the argument of `describePlan`. */
export function describeEvent(event: PlanEvent, id: string, samples: ReadonlyMap<string, string>): Section {
  const name = event.name ?? event.type;
  return {
    id,
    title: { code: name },
    kind: "event",
    badges: [{ text: event.type, tone: "plain" }, ...badgesOf(event)],
    blocks: [
      { kind: "text", line: toLine(event.why) },
      { kind: "facts", facts: listFacts(event) },
      ...fieldsOf(event, name),
      ...sampleOf(event, name, samples),
    ],
    sections: [],
  };
}

function listFacts(event: PlanEvent): readonly Fact[] {
  return [
    { term: "Owner", line: toLine(event.owner) },
    { term: "Review", line: [toLink(event.review)] },
    { term: "Since", line: [`plan version ${event.since}`] },
    ...(event.routes.length === 0 ? [] : [{ term: "Pages", line: joinCodes(event.routes) }]),
    ...(event.selector === undefined ? [] : [{ term: "Controls", line: joinCodes([event.selector]) }]),
    ...(event.expires === undefined
      ? []
      : [{ term: "Expires", line: [`${event.expires} (it is dropped from that day on)`] }]),
    ...(event.maxPerMinute === DEFAULT_MAX_PER_MINUTE
      ? []
      : [{ term: "How often", line: [rateInWords(event.maxPerMinute)] }]),
    ...(event.consent === undefined
      ? []
      : [{ term: "Consent", line: [`${CONSENT_NAMES[event.consent]}. ${CONSENT_WORDS[event.consent]}`] }]),
  ];
}

function joinCodes(codes: readonly string[]): Fact["line"] {
  return codes.flatMap((code, index) => [...(index > 0 ? [", "] : []), { code }]);
}

function sampleOf(event: PlanEvent, name: string, samples: ReadonlyMap<string, string>): readonly Block[] {
  const json = samples.get(labelOf(event));
  if (json === undefined) return [];
  return [{ kind: "sample", caption: `Sample of ${name}`, json: JSON.stringify(JSON.parse(json), null, 2) }];
}

function fieldsOf(event: PlanEvent, name: string): readonly Block[] {
  const root = rootOf(event.type);
  const table = tabulateFields(`${root === "traits" ? "Traits" : "Properties"} of ${name}`, event.fields);
  return [table ?? { kind: "text", line: [`It has no ${root} of its own.`] }];
}
