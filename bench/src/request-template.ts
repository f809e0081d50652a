/** Builds requests in advance, and stamps their ids and times in place. */
import { ID_BYTES, type IdWriter, type TimeWriter } from "./patch.ts";
import type { UsageEvent } from "./usage-event.ts";

/** A complete HTTP request as bytes, with the offsets of its ids and times. */
export type RequestTemplate = {
  readonly bytes: Buffer;
  /** Where the body starts in `bytes`. */
  readonly bodyStart: number;
  readonly events: number;
  readonly idOffsets: readonly number[];
  readonly timeOffsets: readonly number[];
  readonly sentAtOffset: number;
};

export type RequestTarget = { readonly host: string; readonly path: string; readonly writeKey: string };

const PLACEHOLDER_TIME = "2026-01-01T00:00:00.000Z";

/** The default path for a request: that of a single message, or of a batch. */
export function defaultPath(batchSize: number): string {
  return batchSize === 1 ? "/v1/track" : "/v1/batch";
}

/**
 * Builds a POST of one event as a single message, or of several events as a batch. The write key is sent as
 * Basic auth, as by Segment's SDKs.
 */
export function buildRequest(target: RequestTarget, events: readonly UsageEvent[]): RequestTemplate {
  const [only] = events;
  const isSingle = events.length === 1 && only !== undefined;
  const body = Buffer.from(
    JSON.stringify(
      isSingle ? { ...only, sentAt: PLACEHOLDER_TIME } : { batch: events, sentAt: PLACEHOLDER_TIME },
    ),
  );
  const head = [
    `POST ${target.path} HTTP/1.1`,
    `Host: ${target.host}`,
    `Authorization: Basic ${Buffer.from(`${target.writeKey}:`).toString("base64")}`,
    "Content-Type: application/json",
    "User-Agent: analytics-java/2.1.1",
    `Content-Length: ${body.length}`,
    "",
    "",
  ].join("\r\n");
  const bytes = Buffer.concat([Buffer.from(head), body]);
  return {
    bytes,
    bodyStart: bytes.length - body.length,
    events: events.length,
    idOffsets: offsetsAfter(bytes, '"messageId":"'),
    timeOffsets: offsetsAfter(bytes, '"timestamp":"'),
    sentAtOffset: offsetsAfter(bytes, '"sentAt":"')[0] ?? -1,
  };
}

/**
 * Writes new ids and times. The events of a batch are a little apart, and all are before `nowMs`, which
 * becomes `sentAt`.
 */
export function stampRequest(
  template: RequestTemplate,
  writeId: IdWriter,
  writeTime: TimeWriter,
  nowMs: number,
): void {
  const { bytes, events, idOffsets, timeOffsets, sentAtOffset } = template;
  for (let index = 0; index < events; index++) {
    writeId(bytes, idOffsets[index] ?? -1);
    writeTime(bytes, timeOffsets[index] ?? -1, nowMs - 12 - (events - index) * 37);
  }
  writeTime(bytes, sentAtOffset, nowMs);
}

/** The id that was last stamped at this index. */
export function stampedId(template: RequestTemplate, index: number): string {
  const offset = template.idOffsets[index] ?? -1;
  return template.bytes.toString("latin1", offset, offset + ID_BYTES);
}

function offsetsAfter(bytes: Buffer, marker: string): number[] {
  const offsets: number[] = [];
  for (let at = bytes.indexOf(marker); at !== -1; at = bytes.indexOf(marker, at + 1))
    offsets.push(at + marker.length);
  return offsets;
}
