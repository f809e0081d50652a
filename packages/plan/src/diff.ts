/** Compares two versions of a plan, and checks whether the newer one hides a change. */
import { diffFields } from "./diff-fields.ts";
import type { Note, NoteAt, PlanDifference } from "./difference.ts";
import {
  CONSENT_RULES,
  IP_POLICIES,
  labelOf,
  PLAN_SOURCES,
  type Plan,
  type PlanEvent,
  type PlanSource,
  rootOf,
  USER_AGENT_POLICIES,
} from "./plan.ts";
import { hashPlan } from "./plan-hash.ts";

/**
 * Lists the differences in this order: the plan's own keys, sources, events in the order of the newer plan,
 * removed events.
 */
export function diffPlans(older: Plan, newer: Plan): readonly PlanDifference[] {
  const found: PlanDifference[] = [];
  const noteAt: NoteAt =
    (where) =>
    (kind, text, { since, needsNewVersion = kind !== "other" } = {}) => {
      found.push({ kind, where, text, since, needsNewVersion });
    };
  diffHead(older, newer, noteAt("plan"));
  for (const name of PLAN_SOURCES) {
    diffSource(older.sources[name], newer.sources[name], `source ${name}`, noteAt);
  }
  const before = new Map(older.events.map((event) => [labelOf(event), event]));
  const after = new Map(newer.events.map((event) => [labelOf(event), event]));
  for (const [label, event] of after) {
    const was = before.get(label);
    const note = noteAt(`event ${label}`);
    if (was === undefined) note("newly_collected", "The event is new.", { since: event.since });
    else diffEvent({ older, newer }, was, event, noteAt);
  }
  for (const label of before.keys()) {
    if (!after.has(label)) noteAt(`event ${label}`)("less", "The event is no longer collected.");
  }
  return found;
}

/**
 * Returns what is wrong, and what to write instead, if the newer plan hides a change by its version or by a
 * `since`, or if its version is lower; otherwise undefined. Each version must always collect the same data,
 * or the consent records for it would become stale.
 */
export function checkNewVersion(older: Plan, newer: Plan): string | undefined {
  const needing = diffPlans(older, newer).filter((difference) => difference.needsNewVersion);
  if (newer.version < older.version) {
    return `The plan's version fell from ${older.version} to ${newer.version}. Write ${older.version} or more.`;
  }
  if (newer.version === older.version) {
    if (needing.length === 0 && hashPlan(older) === hashPlan(newer)) return undefined;
    return `The plan's version must grow: ${summarise(needing)} Write \`version: ${older.version + 1}\` and add it to \`changelog\`: consents for version ${older.version} were given for something else.`;
  }
  const hidden = needing.find(({ since }) => since !== undefined && since <= older.version);
  if (hidden === undefined) return undefined;
  return `${hidden.where}: ${hidden.text} But its \`since\` is ${hidden.since}, so an old consent would cover it. Write \`since: ${newer.version}\`.`;
}

function summarise([first, ...others]: readonly PlanDifference[]): string {
  if (first === undefined) return "what is collected has another hash.";
  return `${first.where}: ${first.text}${others.length > 0 ? ` (and ${others.length} more)` : ""}`;
}

function diffHead(older: Plan, newer: Plan, note: Note): void {
  for (const promise of older.promises) {
    if (!newer.promises.includes(promise)) note("more_sensitive", `A promise is gone: ${promise}`);
  }
  for (const promise of newer.promises) {
    if (!older.promises.includes(promise)) note("other", `A promise is new: ${promise}`);
  }
  diffDays("Contacts", older.contacts.retentionDays, newer.contacts.retentionDays, note);
  const gone = older.switches.disable.filter((name) => !newer.switches.disable.includes(name));
  for (const name of gone) note("consent_weaker", `\`${name}\` no longer turns everything off.`);
  const texts = ["product", "contact", "about"] as const;
  const changed = texts.filter((key) => older[key] !== newer[key]).map((key) => `\`${key}\``);
  if (gone.length === 0 && !isSame(older.switches.disable, newer.switches.disable)) changed.push("`disable`");
  if (older.switches.optIn !== newer.switches.optIn) changed.push("`opt_in`");
  if (!isSame(older.turnOff, newer.turnOff)) changed.push("`turn_off`");
  if (changed.length > 0) note("other", `Changed: ${changed.join(", ")}.`);
}

function diffSource(
  older: PlanSource | undefined,
  newer: PlanSource | undefined,
  where: string,
  noteAt: NoteAt,
): void {
  const note = noteAt(where);
  if (newer === undefined) {
    if (older !== undefined) note("less", "The source is gone.");
    return;
  }
  if (older === undefined) {
    note("newly_collected", "The source is new.");
    return;
  }
  diffDays("Its events", older.retentionDays, newer.retentionDays, note);
  diffConsent(older.consent, newer.consent, note);
  diffRank("The IP policy", IP_POLICIES, older.ip, newer.ip, note);
  diffRank("The user agent policy", USER_AGENT_POLICIES, older.userAgent, newer.userAgent, note);
  diffRank("The mode", ["enforce", "observe"], older.mode, newer.mode, note);
  if (older.description !== newer.description) note("other", "Changed: `description`.");
  diffFields(older.context, newer.context, `${where}: context.`, noteAt);
  diffFields(older.ids, newer.ids, `${where}: `, noteAt);
}

function diffEvent(
  plans: { older: Plan; newer: Plan },
  older: PlanEvent,
  newer: PlanEvent,
  noteAt: NoteAt,
): void {
  const where = `event ${labelOf(newer)}`;
  const note = noteAt(where);
  for (const source of newer.sources) {
    if (!older.sources.includes(source)) note("newly_collected", `The source ${source} may send it too.`);
    else if (older.consent !== newer.consent) {
      const before = older.consent ?? plans.older.sources[source]?.consent;
      const after = newer.consent ?? plans.newer.sources[source]?.consent;
      if (before !== undefined && after !== undefined)
        diffConsent(before, after, noteAt(`${where} from ${source}`));
    }
  }
  for (const source of older.sources) {
    if (!newer.sources.includes(source)) note("less", `The source ${source} may no longer send it.`);
  }
  const [before, after] = [older.expires ?? "never", newer.expires ?? "never"];
  // Compared as text, "never" is after every date.
  if (before < after) note("kept_longer", `It expires later: ${after} instead of ${before}.`);
  if (before > after) note("less", `It expires earlier: ${after} instead of ${before}.`);
  diffRate(older.maxPerMinute, newer.maxPerMinute, note);
  if (older.since !== newer.since) note("other", "Changed: `since`.", { needsNewVersion: true });
  const texts = (["why", "owner", "review", "routes", "selector"] as const).filter(
    (key) => String(older[key]) !== String(newer[key]),
  );
  if (texts.length > 0) note("other", `Changed: ${texts.map((key) => `\`${key}\``).join(", ")}.`);
  diffFields(older.fields, newer.fields, `${where}: ${rootOf(newer.type)}.`, noteAt);
}

function diffDays(what: string, before: number, after: number, note: Note): void {
  if (before === after) return;
  note(after > before ? "kept_longer" : "less", `${what} are kept for ${after} days instead of ${before}.`);
}

function diffRate(before: number, after: number, note: Note): void {
  if (before === after) return;
  const text = `A process sends at most ${after} a minute instead of ${before}.`;
  note(after > before ? "newly_collected" : "less", text);
}

function diffConsent(before: PlanSource["consent"], after: PlanSource["consent"], note: Note): void {
  if (before === after) return;
  const isWeaker = CONSENT_RULES.indexOf(after) < CONSENT_RULES.indexOf(before);
  note(isWeaker ? "consent_weaker" : "less", `The consent rule is \`${after}\` instead of \`${before}\`.`);
}

/** Compares two policies or modes. `ranks` is ordered from what keeps least to what keeps most. */
function diffRank(what: string, ranks: readonly string[], before: string, after: string, note: Note): void {
  if (before === after) return;
  const isMore = ranks.indexOf(after) > ranks.indexOf(before);
  note(isMore ? "more_sensitive" : "less", `${what} is \`${after}\` instead of \`${before}\`.`);
}

function isSame(before: readonly string[], after: readonly string[]): boolean {
  return before.join("\n") === after.join("\n");
}
