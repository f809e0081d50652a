import { type Fields, toFields } from "@candor/node/operator";
import { DROP_REASONS } from "@candor/server";
import type { LiveMessage } from "./live-message.ts";
import { type Colours, toClock, toSafeText } from "./terminal.ts";

const MAX_NAME_CHARS = 60;
const MAX_TYPE_CHARS = 12;
const MAX_ID_CHARS = 13;
/** Details never get narrower than this, however narrow the terminal. */
const MIN_DETAIL_CHARS = 40;

export interface LineOptions {
  readonly colours: Colours;
  /** Columns of the terminal; undefined: nothing is cut, for a pipe. */
  readonly columns: number | undefined;
  /** When it was told: dropped messages carry no time of ours. */
  readonly toldAt: Date;
}

/** A message as one line: time, source, type and event, who, and its properties or why it was dropped. */
export function renderLiveLine(live: LiveMessage, { colours, columns, toldAt }: LineOptions): string {
  const { fields, reason } = live;
  const receivedAt = new Date(text(fields.receivedAt));
  const isTimed = reason === undefined && !Number.isNaN(receivedAt.getTime());
  const parts: Part[] = [
    [toClock(isTimed ? receivedAt : toldAt), colours.dim],
    [toSafeText(live.source ?? "?").padEnd(9), colours.cyan],
    [toSafeText(shorten(text(fields.type) || "?", MAX_TYPE_CHARS)).padEnd(8), String],
    [toSafeText(shorten(nameOf(fields), MAX_NAME_CHARS)).padEnd(24), colours.bold],
    [toSafeText(whoOf(fields)).padEnd(18), colours.green],
  ];
  const leadChars = parts.reduce((chars, [shown]) => chars + shown.length + 1, 0);
  const isCut = columns !== undefined && reason === undefined;
  const room = isCut ? Math.max(MIN_DETAIL_CHARS, columns - leadChars) : Infinity;
  const details = reason === undefined ? renderDetails(fields) : `dropped, ${reason}: ${explain(reason)}`;
  if (details !== "") parts.push([shorten(toSafeText(details), room), colours.dim]);
  if (reason === undefined)
    return parts
      .map(([shown, paint]) => paint(shown))
      .join(" ")
      .trimEnd();
  // A duplicate is no loss: its original is kept.
  const paint = reason === "duplicate" ? colours.yellow : colours.red;
  return paint(
    parts
      .map(([shown]) => shown)
      .join(" ")
      .trimEnd(),
  );
}

/** A piece of the line and how it is painted. */
type Part = readonly [shown: string, paint: (shown: string) => string];

function nameOf(fields: Fields): string {
  if (fields.type === "group") return text(fields.groupId);
  if (fields.type === "alias") return text(fields.previousId);
  return text(fields.event) || text(fields.name);
}

function whoOf({ userId, anonymousId }: Fields): string {
  if (text(userId) !== "") return `user:${shorten(text(userId), MAX_ID_CHARS)}`;
  return text(anonymousId) === "" ? "" : `anon:${shorten(text(anonymousId), MAX_ID_CHARS)}`;
}

/** Properties, or traits where those are what the type is about, as `name=value`. */
function renderDetails(fields: Fields): string {
  const isAboutTraits = fields.type === "identify" || fields.type === "group";
  const entries = Object.entries(toFields(isAboutTraits ? fields.traits : fields.properties) ?? {});
  return entries.map(([name, value]) => `${renderValue(name)}=${renderValue(value)}`).join(" ");
}

/** A word stands bare; anything else as JSON, so that one value cannot pass for two. */
function renderValue(value: unknown): string {
  return typeof value === "string" && /^[^\s"'={}[\],]+$/.test(value) ? value : JSON.stringify(value);
}

function explain(reason: string): string {
  return Object.entries(DROP_REASONS).find(([code]) => code === reason)?.[1] ?? "";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** At most `maxChars` code points; an ellipsis stands for the rest. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const chars = [...text];
  return chars.length <= maxChars ? text : `${chars.slice(0, Math.max(0, maxChars - 1)).join("")}…`;
}
