/** Reads a message out of a pixel's address. */
import { isObject, type JsonObject, type JsonValue, parseJson } from "@candor/envelope";

const MAX_PATH_PARTS = 32;

/**
 * The message in a pixel's address: `data` is base64 of its JSON, or the parameters are its fields, with dots
 * (`properties.plan=pro`). A "+" of base64 arrives as a blank. Undefined if neither yields an object.
 */
export function readPixel(parameters: URLSearchParams): JsonObject | undefined {
  const data = parameters.get("data");
  if (data === null) return fromParameters(parameters);
  try {
    const value = parseJson(Buffer.from(data.replaceAll(" ", "+"), "base64").toString("utf8"));
    return isObject(value) ? value : undefined;
  } catch {
    return undefined;
  }
}

function fromParameters(parameters: URLSearchParams): JsonObject {
  const message: JsonObject = {};
  for (const [path, value] of parameters) setPath(message, path.split("."), value);
  return message;
}

/** Uses defineProperty, because a client may name a part `__proto__`. */
function setPath(target: JsonObject, parts: readonly string[], value: string): void {
  if (parts.length > MAX_PATH_PARTS) return;
  let inner = target;
  for (const part of parts.slice(0, -1)) {
    const existing: JsonValue | undefined = Object.hasOwn(inner, part) ? inner[part] : undefined;
    const next = isObject(existing) ? existing : {};
    define(inner, part, next);
    inner = next;
  }
  define(inner, parts.at(-1) ?? "", value);
}

function define(target: JsonObject, key: string, value: JsonValue): void {
  Object.defineProperty(target, key, { value, enumerable: true, configurable: true, writable: true });
}
