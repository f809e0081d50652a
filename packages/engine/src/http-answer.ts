/** Builds parts of the engine's HTTP answers: the summary header, errors and plain texts. */
import type { ServerResponse } from "node:http";
import { ClickHouseFault } from "./errors.ts";

/** The figures of ClickHouse's X-ClickHouse-Summary header, in which all figures are decimal strings. */
export interface Summary {
  readRows: number;
  readBytes: number;
  writtenRows: number;
  writtenBytes: number;
  elapsedSeconds: number;
}

export function summaryHeader(summary: Summary): string {
  return JSON.stringify({
    read_rows: String(summary.readRows),
    read_bytes: String(summary.readBytes),
    written_rows: String(summary.writtenRows),
    written_bytes: String(summary.writtenBytes),
    total_rows_to_read: "0",
    result_rows: "0",
    result_bytes: "0",
    elapsed_ns: String(Math.round(summary.elapsedSeconds * 1e9)),
  });
}

/** A fault as ClickHouse reports it over HTTP. `code` is sent in a header. */
export interface ErrorAnswer {
  status: number;
  code: number;
  body: string;
}

interface EngineError extends Error {
  clickhouseCode?: number;
}

const UNKNOWN_EXCEPTION = 1002;

export function errorAnswer(error: unknown, version: string): ErrorAnswer {
  const tail = ` (version ${version})`;
  if (error instanceof ClickHouseFault) {
    const body = `Code: ${error.code}. DB::Exception: ${error.message}. (${error.type})${tail}\n`;
    return { status: httpStatus(error.code), code: error.code, body };
  }
  const { message, clickhouseCode } = error as EngineError;
  if (clickhouseCode === undefined) {
    const body = `Code: ${UNKNOWN_EXCEPTION}. DB::Exception: ${message}. (UNKNOWN_EXCEPTION)${tail}\n`;
    return { status: 500, code: UNKNOWN_EXCEPTION, body };
  }
  const text = message.trimEnd();
  return {
    status: httpStatus(clickhouseCode),
    code: clickhouseCode,
    body: `${text}${text.endsWith(")") ? "" : " (UNKNOWN_EXCEPTION)"}${tail}\n`,
  };
}

/**
 * The HTTP statuses, each with its error codes, like ClickHouse's exceptionCodeToHTTPStatus
 * (HTTPHandler.cpp). `rig/cluster.rig.test.ts` compares them with a real server.
 */
const STATUS_CODES: readonly (readonly [number, readonly number[]])[] = [
  [
    400,
    [
      6, 8, 15, 25, 26, 27, 36, 37, 38, 41, 44, 53, 62, 72, 117, 123, 167, 168, 223, 321, 376, 427, 441, 675,
      676,
    ],
  ],
  [401, [194]],
  [403, [192, 193, 512, 516]],
  [404, [46, 47, 50, 56, 60, 63, 73, 78, 81, 115, 152, 336, 511]],
  [408, [159]],
  [411, [381]],
  [413, [229]],
  [415, [779]],
  [501, [48]],
  [503, [76, 209, 439]],
];

/** The HTTP status for an error code; 500 for codes to which ClickHouse assigns no other status. */
export function httpStatus(code: number): number {
  return STATUS_CODES.find(([, codes]) => codes.includes(code))?.[0] ?? 500;
}

export function sendText(response: ServerResponse, status: number, text: string): void {
  response.writeHead(status, { "Content-Type": "text/plain; charset=UTF-8" }).end(text);
}
