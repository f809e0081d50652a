/** Parses the messages of /api/live and renders each on one line. */
import { type Fields, parseFields, textOf, toFields } from "@candor/node/operator";
import { DROP_REASONS } from "@candor/server";
import { type Colours, toClock, toSafeText } from "./terminal.ts";

const MAX_NAME_CHARS = 60;
const MAX_TYPE_CHARS = 12;
const MAX_ID_CHARS = 13;
/** The details of a message get at least this width, even on a narrow terminal. */
const MIN_DETAIL_CHARS = 40;

/** A message of /api/live: kept, or dropped with a reason. */
export interface LiveMessage {
  /** Why the message was dropped. Undefined if it was kept. */
  readonly reason: string | undefined;
  readonly source: string | undefined;
  /** The envelope of a kept message, or the fields of a dropped one as they were sent. */
  readonly fields: Fields;
}

/** Reads the data of a `message` event. Undefined if the data is not a JSON object. */
export function parseLiveMessage(data: string): LiveMessage | undefined {
  const live = parseFields(data);
  if (live === undefined) return undefined;
  const { verdict, reason, source, envelope, message } = live;
  return {
    reason: verdict === "dropped" ? textOf(reason) : undefined,
    source: typeof source === "string" ? source : undefined,
    fields: toFields(envelope) ?? toFields(message) ?? {},
  };
}

/** Returns the number of messages that a `missed` event reports as skipped; 0 if it reports none. */
export function parseMissed(data: string): number {
  return Number(parseFields(data)?.missed ?? 0);
}

export interface LineOptions {
  readonly colours: Colours;
  /**
   * Width of the terminal, to which the details of a kept message are shortened. Undefined for a pipe: no
   * limit.
   */
  readonly columns: number | undefined;
  /**
   * The current time, which is shown instead of `receivedAt` if the message was dropped or has no valid
   * `receivedAt`.
   */
  readonly toldAt: Date;
}

/** Renders a message on one line. For a dropped one, the line says why. */
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
  // A duplicate is not a loss: the original was kept.
  const paint = reason === "duplicate" ? colours.yellow : colours.red;
  return paint(
    parts
      .map(([shown]) => shown)
      .join(" ")
      .trimEnd(),
  );
}

/** A part of the line and its colour. */
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

/** Renders the properties, or the traits of `identify` and `group`, as `name=value`. */
function renderDetails(fields: Fields): string {
  const isAboutTraits = fields.type === "identify" || fields.type === "group";
  const entries = Object.entries(toFields(isAboutTraits ? fields.traits : fields.properties) ?? {});
  return entries.map(([name, value]) => `${renderValue(name)}=${renderValue(value)}`).join(" ");
}

/** Quotes everything but plain words as JSON, so that one value cannot look like two. */
function renderValue(value: unknown): string {
  return typeof value === "string" && /^[^\s"'={}[\],]+$/.test(value) ? value : JSON.stringify(value);
}

function explain(reason: string): string {
  return Object.entries(DROP_REASONS).find(([code]) => code === reason)?.[1] ?? "";
}

function text(value: unknown): string {
  return typeof value === "string" ? value : typeof value === "number" ? String(value) : "";
}

/** Shortens a text to at most `maxChars` code points, with an ellipsis in place of the rest. */
export function shorten(text: string, maxChars: number): string {
  if (text.length <= maxChars) return text;
  const chars = [...text];
  return chars.length <= maxChars ? text : `${chars.slice(0, Math.max(0, maxChars - 1)).join("")}…`;
}
