/** Checks what one key of the plan requires of another. */
import type { Path, Report } from "./document.ts";
import { checkEvents } from "./event-rules.ts";
import { checkFields } from "./field-rules.ts";
import type { PlanFile } from "./format.ts";
import { checkInstanceId } from "./instance-id-rules.ts";
import { ID_NAMES, modeSwitch, PLAN_SOURCES } from "./plan.ts";
import { isDate, newerThanPlan, type PlanScope } from "./scope.ts";
import { isRecord } from "./structure.ts";

/**
 * Checks what one key of the plan requires of another. The structure has been checked, and may be wrong in places:
 * unsound parts are skipped.
 */
export function checkRules(value: unknown, isSound: (path: Path) => boolean, report: Report): void {
  if (!isRecord(value)) return;
  const plan = value as Partial<PlanFile>;
  const version = isSound(["version"]) ? plan.version : undefined;
  const scope = { version: version ?? Number.POSITIVE_INFINITY, isSound, report, columns: new Map() };

  if (isSound(["contact"]) && !/^(?:https?:\/\/\S+|[^\s@]+@[^\s@]+)$/u.test(plan.contact ?? "")) {
    report(["contact"], "This is no address. Write an e-mail address, or a URL that begins with https://.");
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
    if (change.version > version) {
      report([...at, "version"], newerThanPlan(version));
    }
    const previous = changes[index - 1]?.version;
    if (previous === undefined) continue;
    if (previous === change.version)
      report([...at, "version"], "This version stands twice. Write one entry for each version.");
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
    checkFields(source.context, {
      ...own,
      path: ["sources", name, "context"],
      names: ["context"],
      place: "context",
    });
    const ids = isRecord(source.ids) ? source.ids : {};
    const known = Object.fromEntries(
      ID_NAMES.filter((id) => Object.hasOwn(ids, id)).map((id) => [id, ids[id]]),
    );
    checkFields(known, { ...own, path: ["sources", name, "ids"], names: [], place: "ids" });
    checkInstanceId(plan, name, scope);
  }
}

/** The names under `disable`, each with its position. */
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
      "Something is `opt-in`, so name the environment variable that holds the answer: write `opt_in: PRODUCT_CLIENT_TELEMETRY` or the like.",
    );
  }
  const { disable, opt_in } = plan.switches ?? {};
  const names = listNames(disable);
  for (const [index, { name, path }] of names.entries()) {
    if (names.findIndex((other) => other.name === name) < index)
      report(path, "This variable stands twice. Remove one of the two.");
  }
  if (names.some(({ name }) => name === opt_in)) {
    report(["switches", "opt_in"], "This is the name of `disable` too. Write another variable's name.");
  }
  if (product === undefined) return;
  const mode = modeSwitch(product);
  for (const { name, path } of [...names, { name: opt_in, path: ["switches", "opt_in"] }]) {
    if (name !== mode) continue;
    report(path, `\`${mode}=log\` prints messages instead of sending them. Write another variable's name.`);
  }
}
