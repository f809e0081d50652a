/** Reads the bodies of requests to the engine. */
import type { IncomingMessage } from "node:http";
import { createGunzip, createInflate } from "node:zlib";
import { fault } from "./errors.ts";

/**
 * Reads a request body, inflating it if needed. Stops at `maxBytes`, even while inflating. The rest of the
 * body is then read and discarded, because a client that is still writing does not read the answer.
 * @throws ClickHouseFault QUERY_IS_TOO_LARGE, UNKNOWN_COMPRESSION_METHOD, ZLIB_INFLATE_FAILED,
 * QUERY_WAS_CANCELLED
 */
export async function readBody(request: IncomingMessage, maxBytes: number): Promise<Buffer> {
  const inflate = inflater(request.headers["content-encoding"]);
  const source = inflate === undefined ? request : request.pipe(inflate);
  try {
    return await collect(request, source, maxBytes);
  } finally {
    if (inflate !== undefined) request.unpipe(inflate);
    inflate?.destroy();
    request.resume();
  }
}

function inflater(encoding: string | undefined) {
  switch (encoding?.toLowerCase()) {
    case undefined:
    case "":
    case "identity":
      return undefined;
    case "gzip":
      return createGunzip();
    case "deflate":
      return createInflate();
    default:
      throw fault.unknownCompression(encoding ?? "");
  }
}

function collect(request: IncomingMessage, source: NodeJS.ReadableStream, maxBytes: number): Promise<Buffer> {
  return new Promise((resolve, reject) => {
    const chunks: Buffer[] = [];
    let bytes = 0;
    source.on("data", (chunk: Buffer) => {
      bytes += chunk.length;
      if (bytes <= maxBytes) chunks.push(chunk);
      else {
        chunks.length = 0;
        reject(fault.tooLarge(maxBytes));
      }
    });
    source.on("end", () => resolve(chunks.length === 1 && chunks[0] ? chunks[0] : Buffer.concat(chunks)));
    source.on("error", () => reject(source === request ? fault.cancelled() : fault.badCompression()));
    // A truncated body must never be treated as complete.
    request.on("aborted", () => reject(fault.cancelled()));
    request.on("error", () => reject(fault.cancelled()));
  });
}
