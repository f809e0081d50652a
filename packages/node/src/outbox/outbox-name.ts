import { randomBytes } from "node:crypto";

export const SOURCES = ["installer", "server", "client"] as const;
export type Source = (typeof SOURCES)[number];

/** What the name of an outbox file says. */
export interface OutboxName {
  readonly source: Source;
  /** When the process that wrote it began it, epoch milliseconds. */
  readonly begunAtMs: number;
}

const STEM = `(${SOURCES.join("|")})-(\\d{4})(\\d\\d)(\\d\\d)T(\\d\\d)(\\d\\d)(\\d\\d)Z-[0-9A-Za-z-]+`;
const MESSAGES = new RegExp(`^${STEM}\\.ndjson$`);
/** Messages, how far they were sent, and what a process left that was killed while it replaced that. */
const OURS = new RegExp(`^${STEM}\\.(?:ndjson|sent(?:\\.[0-9a-f]{8}\\.tmp)?)$`);

/** A name of a new file: `server-20261123T120000Z-1f0c….ndjson`. */
export function nameOutboxFile(source: Source, nowMs: number): string {
  const time = `${new Date(nowMs).toISOString().slice(0, 19).replaceAll(/[-:]/g, "")}Z`;
  return `${source}-${time}-${randomBytes(6).toString("hex")}.ndjson`;
}

/** Reads the name of a file of messages; undefined: it is none. */
export function parseOutboxName(name: string): OutboxName | undefined {
  const match = MESSAGES.exec(name);
  const source = SOURCES.find((candidate) => candidate === match?.[1]);
  if (match === null || source === undefined) return undefined;
  const [, , year, month, day, hours, minutes, seconds] = match;
  return { source, begunAtMs: Date.parse(`${year}-${month}-${day}T${hours}:${minutes}:${seconds}Z`) };
}

/** The source of a file in the outbox that is ours, so that a No deletes it; undefined: it is not ours. */
export function sourceOfName(name: string): Source | undefined {
  const match = OURS.exec(name);
  return SOURCES.find((source) => source === match?.[1]);
}
