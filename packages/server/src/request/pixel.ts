/** Reads a message from the URL of a pixel. */
import { isObject, type JsonObject, type JsonValue, parseJson } from "@candor/envelope";

const MAX_PATH_PARTS = 32;

/**
 * Returns the message in a pixel's URL. Either `data` is the message's JSON in base64, or the parameters are
 * the message's fields, with dots between the parts of a name (`properties.plan=pro`). A "+" in base64
 * arrives as a space. Undefined if `data` is not the JSON of an object.
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

/**
 * Sets the value at a path; ignores a path of more than 32 parts. Uses defineProperty, because a client may
 * call a part of the path `__proto__`.
 */
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
