const MAX_DEPTH = 32;

/** JSON's own values, as `@candor/plan/runtime` judges them. */
export type Json = string | number | boolean | null | Json[] | { [key: string]: Json };

/**
 * A copy that is JSON and nothing else: own enumerable values only, dates as ISO text, no `toJSON`, no numbers that JSON
 * cannot write (they become null, which no plan declares). What is judged is then exactly what is written.
 * @throws RangeError when it is nested more than 32 deep (or without end); whatever a getter throws
 */
export function copyPlain(value: object): { [key: string]: Json } {
  return copyObject(value, 1);
}

function copyObject(value: object, depth: number): { [key: string]: Json } {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deep");
  const copy: { [key: string]: Json } = {};
  for (const name of Object.keys(value)) {
    // Written to, it would be the copy's prototype. No plan can declare it.
    if (name === "__proto__") continue;
    const plain = copyValue(Reflect.get(value, name), depth);
    if (plain !== undefined) copy[name] = plain;
  }
  return copy;
}

function copyValue(value: unknown, depth: number): Json | undefined {
  switch (typeof value) {
    case "string":
    case "boolean":
      return value;
    case "number":
      return Number.isFinite(value) ? value : null;
    case "object":
      if (value === null) return null;
      if (Array.isArray(value)) return copyList(value, depth + 1);
      if (value instanceof Date) return Number.isNaN(value.getTime()) ? null : value.toISOString();
      return copyObject(value, depth + 1);
    default:
      return undefined;
  }
}

function copyList(list: readonly unknown[], depth: number): Json[] {
  if (depth > MAX_DEPTH) throw new RangeError("nested too deep");
  return list.map((item) => copyValue(item, depth) ?? null);
}
