/** Checks the rules of a plan. event-rules.ts and field-rules.ts check its events and fields. */

import { isRecord } from "@candor/envelope/unknown-value";
import type { Path, Report } from "./document.ts";
import { checkEvents } from "./event-rules.ts";
import { checkFields, type PlanScope } from "./field-rules.ts";
import type { PlanFile } from "./format.ts";
import { createPatternReader } from "./pattern-rules.ts";
import { ID_NAMES, modeSwitch, PLAN_SOURCES, type PlanSourceName } from "./plan.ts";
import { isDate, isKeptText, newerThanPlan } from "./rule.ts";

/** The blocks of a source or an event that contain fields. */
const FIELD_BLOCKS = ["context", "ids", "properties", "traits"];

/**
 * The unit of the plan to which a path belongs: a top-level key, a source, an event, or a field. The rules
 * skip a unit whose structure is wrong, and check all others.
 */
export function unitOf(path: Path): Path {
  if (path[0] !== "sources" && path[0] !== "events") return path.slice(0, 1);
  let end = Math.min(path.length, 2);
  if (path.length > 3 && FIELD_BLOCKS.includes(String(path[2]))) end = 4;
  while (end >= 4 && path.length > end + 1 && path[end] === "fields") end += 2;
  return path.slice(0, end);
}

/**
 * Checks the rules of a plan whose structure has been checked.
 * @param isSound whether a unit has the types that format.ts requires
 */
export function checkRules(value: unknown, isSound: (path: Path) => boolean, report: Report): void {
  if (!isRecord(value)) return;
  const plan = value as Partial<PlanFile>;
  const version = isSound(["version"]) ? plan.version : undefined;
  const scope: PlanScope = {
    version: version ?? Number.POSITIVE_INFINITY,
    isSound,
    report,
    readPattern: createPatternReader(),
    columns: new Map(),
  };

  if (isSound(["contact"]) && !/^(?:https?:\/\/\S+|[^\s@]+@[^\s@]+)$/u.test(plan.contact ?? "")) {
    report(
      ["contact"],
      "This is not an address. Write an e-mail address, or a URL that begins with https://.",
    );
  }
  if (isSound(["changelog"])) checkChangelog(plan.changelog ?? [], scope.version, report);
  if (isSound(["sources"])) checkSources(plan, scope);
  const hasContacts = isSound(["events"]) && checkEvents(plan, scope);
  if (hasContacts && plan.contacts === undefined) {
    report(
      ["contacts"],
      "A field is `contact`, so say how long contacts are kept: write `contacts:` with `retention_days`.",
    );
  }
  if (isSound(["switches"])) checkSwitches(plan, isSound(["product"]) ? plan.product : undefined, report);
}

function checkChangelog(changes: PlanFile["changelog"], version: number, report: Report): void {
  const first = changes[0]?.version ?? 0;
  const last = changes.at(-1)?.version ?? 0;
  for (const [index, change] of changes.entries()) {
    const at = ["changelog", index];
    if (!isDate(change.date))
      report([...at, "date"], "There is no such day. Write a real date as YYYY-MM-DD.");
    if (change.version > version) report([...at, "version"], newerThanPlan(version));
    const previous = changes[index - 1]?.version;
    if (previous === undefined) continue;
    if (previous === change.version)
      report([...at, "version"], "Duplicate version. Write one entry for each version.");
    else if (previous < change.version !== first < last) {
      report([...at, "version"], "The versions are out of order. Write them all rising, or all falling.");
    }
  }
  if (Number.isFinite(version) && !changes.some((change) => change.version === version)) {
    report(
      ["changelog"],
      `The plan's version ${version} has no entry. Add one that says what it changed.`,
      "key",
    );
  }
}

function checkSources(plan: Partial<PlanFile>, scope: PlanScope): void {
  if (Object.keys(plan.sources ?? {}).length === 0) {
    scope.report(
      ["sources"],
      "No source is declared. Write `installer:`, `server:` or `client:` with its keys.",
      "key",
    );
  }
  for (const name of PLAN_SOURCES) {
    const source: unknown = plan.sources?.[name];
    if (!isRecord(source)) continue;
    const own = { ...scope, since: 1, depth: 1 };
    const path = ["sources", name, "context"];
    checkFields(source.context, { ...own, path, names: ["context"], place: "context" });
    const ids = isRecord(source.ids) ? source.ids : {};
    const known = ID_NAMES.filter((id) => Object.hasOwn(ids, id)).map((id) => [id, ids[id]]);
    checkFields(Object.fromEntries(known), {
      ...own,
      path: ["sources", name, "ids"],
      names: [],
      place: "ids",
    });
    checkInstanceId(plan, name, scope);
  }
}

/** Reports an `instance_id` at which messages do not contain the instance's id unchanged. */
function checkInstanceId(plan: Partial<PlanFile>, source: PlanSourceName, scope: PlanScope): void {
  const path: unknown = plan.sources?.[source]?.instance_id;
  if (typeof path !== "string" || !scope.isSound(["sources", source])) return;
  const fail = (message: string) => scope.report(["sources", source, "instance_id"], message);
  if (path === "anonymousId" && source === "client") {
    fail(
      "The client's `anonymousId` is a browser's own id, not its instance's. Write `properties.NAME`, a property that carries the instance's id.",
    );
  } else if (path === "anonymousId") {
    if (isKeptText(plan.sources?.[source]?.ids?.anonymousId)) return;
    fail(
      "This source's `anonymousId` is not kept as it is sent. Declare `anonymousId` under `ids`, with a `pattern` and without `hash`.",
    );
  } else {
    const name = path.replace(/^properties\./, "");
    const fields = fieldsNamed(name, source, plan, scope);
    if (fields.length === 0) {
      fail(
        `No event of the source ${source} declares \`${name}\`. Declare it in \`properties\` (or \`traits\`), or write the property that carries the instance's id.`,
      );
    } else if (!fields.every(isKeptText)) {
      fail(
        `\`${name}\` is not kept as it is sent. Make it a string without \`hash\` and \`format\` wherever it is declared.`,
      );
    }
  }
}

function fieldsNamed(
  name: string,
  source: PlanSourceName,
  plan: Partial<PlanFile>,
  scope: PlanScope,
): readonly unknown[] {
  return Object.values(plan.events ?? []).flatMap((event, index) => {
    if (!isRecord(event) || !scope.isSound(["events", index]) || !event.source.includes(source)) return [];
    return [event.properties, event.traits].flatMap((block: unknown) =>
      isRecord(block) && Object.hasOwn(block, name) ? [block[name]] : [],
    );
  });
}

/** The names under `disable`, each with its path. */
function listNames(disable: PlanFile["switches"]["disable"] | undefined) {
  const path = ["switches", "disable"];
  if (typeof disable === "string") return [{ name: disable, path }];
  return (disable ?? []).map((name, index) => ({ name, path: [...path, index] }));
}

function checkSwitches(plan: Partial<PlanFile>, product: string | undefined, report: Report): void {
  const places = [...Object.values(plan.sources ?? {}), ...Object.values(plan.events ?? [])];
  const asks = places.some((place: unknown) => isRecord(place) && place.consent === "opt-in");
  if (asks && plan.switches?.opt_in === undefined) {
    report(
      ["switches", "opt_in"],
      "Something is `opt-in`, so name the environment variable that holds the answer: write `opt_in: PRODUCT_CLIENT_TELEMETRY` or similar.",
    );
  }
  const { disable, opt_in } = plan.switches ?? {};
  const names = listNames(disable);
  for (const [index, { name, path }] of names.entries()) {
    if (names.findIndex((other) => other.name === name) < index)
      report(path, "Duplicate variable. Remove one of the two.");
  }
  if (names.some(({ name }) => name === opt_in)) {
    report(["switches", "opt_in"], "This is the name of `disable` too. Write the name of another variable.");
  }
  if (product === undefined) return;
  const mode = modeSwitch(product);
  for (const { name, path } of [...names, { name: opt_in, path: ["switches", "opt_in"] }]) {
    if (name !== mode) continue;
    report(
      path,
      `\`${mode}=log\` prints messages instead of sending them. Write the name of another variable.`,
    );
  }
}
