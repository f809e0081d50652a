/**
 * Finds what the installer kit cannot report under a plan. Such gaps are allowed, but the product's developer
 * should know about them.
 */
import { type Field, labelOf, type Plan, type PlanEvent } from "../plan.ts";
import { reasonToTrim } from "../value-rules.ts";

export interface ShellGap {
  /** The place of the gap: `event track Installation Errors`. */
  readonly where: string;
  readonly text: string;
}

const ERRORS = "Installation Errors";
/**
 * The kinds of errors that the kit itself reports: a script that ended without giving a reason, and Ctrl-C.
 */
const OWN_KINDS = ["unknown", "interrupted"] as const;
/**
 * The kinds that the kit reports instead of a kind that the plan does not allow. The kit uses the first one
 * that the plan allows.
 */
const FALLBACKS: readonly string[] = ["unknown", "other"];

const HEARTBEAT = "Instance Active";
/** The heartbeat's field that contains the id of the installation from which the instance was created. */
export const LINK_FIELD = "installId";
const INSTALL_ID = "0123456789abcdef0123456789abcdef";

/**
 * Whether the plan declares an installer, and allows the server's heartbeat to contain an installation's id.
 */
export function isLinked(plan: Plan): boolean {
  const field = findEvent(plan, HEARTBEAT, "server")?.fields[LINK_FIELD];
  return plan.sources.installer !== undefined && field !== undefined && takes(field, INSTALL_ID);
}

/** Lists the gaps. Empty if the plan lets the installer send no event. */
export function listShellGaps(plan: Plan): readonly ShellGap[] {
  if (!plan.events.some(({ sources }) => sources.includes("installer"))) return [];
  return [...gapsOfErrors(plan), ...gapsOfLink(plan)];
}

function gapsOfErrors(plan: Plan): readonly ShellGap[] {
  const event = findEvent(plan, ERRORS, "installer");
  if (event === undefined) {
    return [
      {
        where: "source installer",
        text: `No event \`${ERRORS}\` is declared: a failed install tells nothing.`,
      },
    ];
  }
  const where = `event ${labelOf(event)}`;
  const field = event.fields.error;
  if (field === undefined)
    return [{ where, text: "It has no field `error`: failures are told without a kind." }];
  const fallback = FALLBACKS.find((kind) => takes(field, kind));
  const outcome = field.required ? "is lost, as the field is required" : "is told without a kind";
  if (fallback === undefined) {
    const text = `\`error\` takes neither \`unknown\` nor \`other\`: a failure of a kind that it does not take ${outcome}. Add \`unknown\`.`;
    return [{ where, text }];
  }
  return OWN_KINDS.filter((kind) => !takes(field, kind)).map((kind) => ({
    where,
    text: `\`error\` does not take \`${kind}\`, which the installer kit tells by itself: \`${fallback}\` is told instead. Add \`${kind}\` to know them apart.`,
  }));
}

function gapsOfLink(plan: Plan): readonly ShellGap[] {
  const event = findEvent(plan, HEARTBEAT, "server");
  if (event?.fields[LINK_FIELD] === undefined || isLinked(plan)) return [];
  const text = `\`${LINK_FIELD}\` does not take an install's id, 32 lower-case hex digits: it is never filled in.`;
  return [{ where: `event ${labelOf(event)}`, text }];
}

function findEvent(plan: Plan, name: string, source: "installer" | "server"): PlanEvent | undefined {
  return plan.events.find(
    (event) => event.type === "track" && event.name === name && event.sources.includes(source),
  );
}

/** Whether the collector keeps this text unchanged as the field's value. */
function takes(field: Field, text: string): boolean {
  return field.type === "string" && !field.hash && reasonToTrim(field, text) === undefined;
}
