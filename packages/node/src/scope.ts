/** Owns the names of outbox files. A name says under which consent the messages in its file were recorded. */
import { randomBytes } from "node:crypto";
import { RULES, type Rule, SOURCES, type Source } from "@candor/consent";

export { SOURCES, type Source };

/** What one consent covers: the events of a source that have the same rule. */
export interface ConsentScope {
  readonly source: Source;
  readonly rule: Rule;
}

/** What the name of an outbox file says about the file. */
export interface OutboxName extends ConsentScope {
  /** When the file was begun, epoch milliseconds. */
  readonly begunAtMs: number;
}

const SCOPE = `(?<source>${SOURCES.join("|")})-(?<rule>${RULES.join("|")})`;
const STEM = `${SCOPE}-(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)Z-[0-9A-Za-z-]+`;
const MESSAGES = new RegExp(`^${STEM}\\.ndjson$`);
/** Matches files of messages, cursor files, and drafts of cursor files. */
const OURS = new RegExp(`^${STEM}\\.(?:ndjson|sent(?:\\.[0-9a-f]{8}\\.tmp)?)$`);

/** A name for a new file: `server-notice-20261123T120000Z-1f0c….ndjson`. */
export function nameOutboxFile({ source, rule }: ConsentScope, nowMs: number): string {
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  return `${source}-${rule}-${time}-${randomBytes(6).toString("hex")}.ndjson`;
}

/** Parses the name of a file of messages; undefined if the name is not of that form. */
export function parseOutboxName(name: string): OutboxName | undefined {
  const match = MESSAGES.exec(name);
  const scope = toScope(match);
  if (match === null || scope === undefined) return undefined;
  const [, , , year, month, day, hours, minutes, seconds] = match;
  return { ...scope, begunAtMs: Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`) };
}

/**
 * The scope of any file that the SDK wrote into an outbox: messages, a cursor or a draft. A refusal of the
 * scope deletes the file. Undefined for other files.
 */
export function scopeOfName(name: string): ConsentScope | undefined {
  return toScope(OURS.exec(name));
}

function toScope(match: RegExpExecArray | null): ConsentScope | undefined {
  const source = SOURCES.find((candidate) => candidate === match?.groups?.source);
  const rule = RULES.find((candidate) => candidate === match?.groups?.rule);
  return source === undefined || rule === undefined ? undefined : { source, rule };
}
