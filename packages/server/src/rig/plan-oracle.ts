/** For tests: an independent implementation of the plan's checks. */
import { isIP } from "node:net";
import {
  type Field,
  type Fields,
  ID_NAMES,
  type Plan,
  type PlanSource,
  type PlanSourceName,
} from "@candor/plan";

/**
 * Lists everything in a kept message that the plan does not allow; empty if there is nothing. This is a slow
 * and simple implementation for tests that compare it with the enforcement. It is written from
 * docs/plan-format.md and shares no checks with the enforcement.
 * @param envelope the parsed envelope that was kept
 */
export function breaches(plan: Plan, sourceName: PlanSourceName, envelope: Json): string[] {
  const source = plan.sources[sourceName];
  const type = String(envelope.type);
  const name = type === "track" ? envelope.event : envelope.name;
  const event = plan.events.find((one) => one.type === type && one.name === name);
  if (source === undefined || event === undefined) return ["the event is not declared"];
  if (!event.sources.includes(sourceName)) return ["the event is declared for another source"];
  const root = type === "identify" || type === "group" ? "traits" : "properties";
  const allowed = new Set<string>([...STAMPED, ...ID_NAMES, root, type === "track" ? "event" : "name"]);
  const found = Object.keys(envelope)
    .filter((key) => !allowed.has(key))
    .map((key) => `${key} has no place`);
  const isEmpty = JSON.stringify(envelope.integrations) === "{}";
  if (!isEmpty) found.push("integrations are not empty");
  found.push(...inObject(envelope.context, source.context, source, "context"));
  if (type !== "alias" || envelope[root] !== undefined)
    found.push(...inObject(envelope[root], event.fields, source, root));
  for (const id of ID_NAMES) {
    const value = envelope[id];
    if (value !== undefined && !isAllowedId(value, source.ids[id], source))
      found.push(`${id} is not allowed`);
  }
  return found;
}

export type Json = Readonly<Record<string, unknown>>;

const STAMPED = [
  "context",
  "integrations",
  "messageId",
  "originalTimestamp",
  "receivedAt",
  "sentAt",
  "timestamp",
  "type",
];
const HASH = /^[0-9a-f]{32,64}$/;
const PSEUDONYM = /^[0-9a-f]{32}$/;

function inObject(value: unknown, fields: Fields, source: PlanSource, path: string): string[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [`${path} is no object`];
  const found: string[] = [];
  for (const [name, inner] of Object.entries(value)) {
    const field = Object.hasOwn(fields, name) ? fields[name] : undefined;
    if (field === undefined) found.push(`${path} has an undeclared field`);
    else if (field.sensitivity === "contact") found.push(`${path}.${name} is a contact`);
    else if (field.type === "object") found.push(...inObject(inner, field.fields, source, `${path}.${name}`));
    else if (!isAllowed(inner, field, source)) found.push(`${path}.${name} is not allowed`);
  }
  for (const [name, field] of Object.entries(fields))
    if (field.required && !Object.hasOwn(value, name)) found.push(`${path}.${name} is required`);
  return found;
}

type Plain = Exclude<Field, { type: "object" }>;
type Item = Pick<Plain, "type"> & Partial<Omit<Plain, "type">>;

function isAllowed(value: unknown, field: Item, source: PlanSource): boolean {
  switch (field.type) {
    case "boolean":
      return value === true || value === false;
    case "integer":
    case "number":
      return isAllowedNumber(value, field as Extract<Field, { type: "integer" | "number" }>);
    case "array": {
      const { items, maxItems } = field as Extract<Field, { type: "array" }>;
      return (
        Array.isArray(value) &&
        value.length <= maxItems &&
        value.every((item) => isAllowed(item, items, source))
      );
    }
    case "string":
      return isAllowedText(value, field as Extract<Field, { type: "string" }>, source);
  }
}

type NumberField = Pick<
  Extract<Field, { type: "integer" | "number" }>,
  "type" | "minimum" | "maximum" | "buckets"
>;

function isAllowedNumber(value: unknown, { type, minimum, maximum, buckets }: NumberField): boolean {
  if (typeof value !== "number" || !Number.isFinite(value)) return false;
  if (type === "integer" && value % 1 !== 0) return false;
  if (buckets !== undefined && !buckets.some((bound) => bound === value)) return false;
  return !(minimum !== undefined && value < minimum) && !(maximum !== undefined && value > maximum);
}

type TextField = Pick<
  Extract<Field, { type: "string" }>,
  "format" | "maxLength" | "enum" | "pattern" | "hash"
>;

function isAllowedText(value: unknown, field: TextField, { ip, userAgent }: PlanSource): boolean {
  if (typeof value !== "string") return false;
  if (field.hash) return HASH.test(value);
  if (field.enum !== undefined) return field.enum.includes(value);
  if (value.length > field.maxLength) return false;
  if (field.pattern !== undefined && new RegExp(`^(?:${field.pattern})$`, "u").exec(value)?.[0] !== value) {
    return false;
  }
  if (field.format === "ip") return isAllowedAddress(value, ip);
  if (field.format === "user_agent") {
    if (userAgent === "family")
      return /^(?:bot|unknown|[A-Z][\w .-]{1,30}(?: on [A-Za-z][\w ]{1,20})?)$/.test(value);
    return userAgent === "keep";
  }
  if (field.format === "version") return /^(?:v[0-9]|[0-9])[a-zA-Z0-9+.-]*$/.test(value);
  if (isIP(value) !== 0 && !isAllowedAddress(value, ip)) return false;
  if (field.format === "url") return value === "" || (value.startsWith("/") && !/[?#\s]/.test(value));
  return field.format === "text";
}

/** Whether a value has one of the forms that remain after the policy was applied. */
function isAllowedAddress(value: string, policy: PlanSource["ip"]): boolean {
  if (policy === "truncate") return isIP(value) !== 0 && /(?:\.0|::)$/.test(value);
  if (policy === "hash") return PSEUDONYM.test(value);
  return policy === "keep" && isIP(value) !== 0;
}

function isAllowedId(value: unknown, field: Field | undefined, source: PlanSource): boolean {
  if (typeof value !== "string") return false;
  if (PSEUDONYM.test(value) || isAllowedAddress(value, source.ip)) return true;
  return field?.type === "string" && field.format === "text" && isAllowedText(value, field, source);
}
