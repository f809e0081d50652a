/** Copies a product's values to plain JSON. */
import { isDate } from "node:util/types";
import { isExactNumber } from "@candor/envelope/wire";

const MAX_DEPTH = 32;
/** Copying more values would block the product, only for most of them to be removed afterwards. */
const MAX_VALUES = 20_000;

/** JSON's own values, as `@candor/plan/runtime` checks them. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * Copies an object to plain JSON that every JSON parser reads alike. Copies only own properties, writes dates
 * as ISO text (an invalid date as null), replaces lone surrogates, ignores `toJSON`, and leaves out values
 * that JSON lacks, such as functions (in a list, null replaces them). Numbers that JSON cannot represent
 * exactly, and typed arrays, become null, which no plan declares. So the values that are checked are exactly
 * the values that are written.
 * @param names copies only these properties of the object; all if omitted
 * @throws RangeError if the object is nested more than 32 deep or contains over 20,000 values; also whatever
 * a getter throws
 */
export function copyPlain(value: object, names?: ReadonlySet<string>): { [key: string]: Json } {
  const keys =
    names === undefined ? Object.keys(value) : [...names].filter((name) => Object.hasOwn(value, name));
  return copyObject(value, keys, { values: 0 }, 1);
}

/** How many values have been copied so far, shared by the whole recursion. */
interface Cost {
  values: number;
}

function copyObject(
  value: object,
  keys: readonly string[],
  cost: Cost,
  depth: number,
): { [key: string]: Json } {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deep");
  const copy: { [key: string]: Json } = {};
  for (const name of keys) {
    // Assigning `__proto__` would set the copy's prototype. No plan can declare that name.
    if (name === "__proto__") continue;
    const plain = copyValue(Reflect.get(value, name), cost, depth);
    if (plain !== undefined) copy[name.toWellFormed()] = plain;
  }
  return copy;
}

function copyValue(value: unknown, cost: Cost, depth: number): Json | undefined {
  cost.values += 1;
  if (cost.values > MAX_VALUES) throw new RangeError("too many values");
  switch (typeof value) {
    case "string":
      return value.toWellFormed();
    case "boolean":
      return value;
    case "number":
      return isExactNumber(value) ? value : null;
    case "object":
      return value === null || ArrayBuffer.isView(value) ? null : copyInner(value, cost, depth);
    default:
      return undefined;
  }
}

function copyInner(value: object, cost: Cost, depth: number): Json {
  if (Array.isArray(value)) return copyList(value, cost, depth + 1);
  if (!isDate(value)) return copyObject(value, Object.keys(value), cost, depth + 1);
  const ms = Date.prototype.getTime.call(value);
  return Number.isNaN(ms) ? null : new Date(ms).toISOString();
}

/** Copies a list by index, because a subclass may have its own `map`. */
function copyList(list: readonly unknown[], cost: Cost, depth: number): Json[] {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deep");
  const copy: Json[] = [];
  for (let at = 0; at < list.length; at += 1) copy.push(copyValue(list[at], cost, depth) ?? null);
  return copy;
}
