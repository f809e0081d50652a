/** Says in plain words what a plan's key words mean. */
import type {
  ArrayType,
  ConsentRule,
  Field,
  IpPolicy,
  NumberType,
  StringType,
  UserAgentPolicy,
} from "../plan.ts";
import type { Line, Span } from "./page.ts";

/** What the plan's key words mean, for people who have never seen a plan. */
export const CONSENT_WORDS: Readonly<Record<ConsentRule, string>> = {
  notice:
    "Sent once people were told of it, unless it is turned off. It can be turned off before the first event.",
  "opt-in": "Sent after a Yes only. No answer is a No, and what happened before a Yes is never sent later.",
};

export const CONSENT_NAMES: Readonly<Record<ConsentRule, string>> = {
  notice: "With notice",
  "opt-in": "Opt-in",
};

export const IP_WORDS: Readonly<Record<IpPolicy, Line>> = {
  drop: ["Thrown away before anything is written. The country is not looked up either."],
  country: [
    "Replaced by the country, which is looked up on the collector's own machine. The address is thrown away.",
  ],
  truncate: [
    "Cut to the network before anything is written: ",
    { code: "203.0.113.57" },
    " becomes ",
    { code: "203.0.113.0" },
    " (24 bits of IPv4, 48 bits of IPv6). The country is looked up before, on the collector's own machine.",
  ],
  hash: [
    "Replaced by a keyed hash before anything is written: a pseudonym, by which the same address is known again. " +
      "The country is looked up before, on the collector's own machine.",
  ],
  keep: [{ alarm: "Whole addresses are kept." }, " An address can lead to a household or a person."],
};

export const IP_NAMES: Readonly<Record<IpPolicy, Line>> = {
  drop: ["Thrown away"],
  country: ["Country only"],
  truncate: ["Cut to the network"],
  hash: ["Hashed with a key"],
  keep: [{ alarm: "Kept whole" }],
};

export const USER_AGENT_WORDS: Readonly<Record<UserAgentPolicy, Line>> = {
  drop: ["Thrown away before anything is written."],
  family: [
    "Reduced to the families of browser and system, such as ",
    { code: "Chrome on macOS" },
    ", before anything is written.",
  ],
  keep: [{ alarm: "Kept whole." }, " With other things it can tell one browser from most others."],
};

export function rateInWords(maxPerMinute: number): string {
  return `at most ${maxPerMinute} a minute from one process; of the others only their number is sent`;
}

/** A number of days in words: `365 days (1 year)`. */
export function retentionInWords(days: number): string {
  const years = days / 365;
  if (!Number.isInteger(years)) return days === 1 ? "1 day" : `${days} days`;
  return `${days} days (${years === 1 ? "1 year" : `${years} years`})`;
}

/** What a value may be, with its limits: `text of up to 128 characters`. */
export function typeInWords(field: Field): Line {
  switch (field.type) {
    case "string":
      return stringInWords(field);
    case "integer":
    case "number":
      return numberInWords(field);
    case "boolean":
      return ["true or false"];
    case "object":
      return ["object"];
    case "array":
      return arrayInWords(field);
  }
}

const FORMAT_WORDS = {
  text: "text",
  version: "version number",
  url: "path of a web address",
  ip: "IP address, treated as said above",
  user_agent: "user agent, treated as said above",
  email: "e-mail address",
} as const;

function stringInWords(type: StringType): Line {
  if (type.hash) return ["pseudonym: hashed by the sender, and once more by the collector"];
  if (type.enum !== undefined) return enumInWords(type.enum);
  const words = FORMAT_WORDS[type.format];
  if (type.format === "ip" || type.format === "user_agent") return [words];
  if (type.form !== undefined) return [type.form];
  const limit = `${words} of up to ${type.maxLength} characters`;
  return type.pattern === undefined ? [limit] : [`${limit}, matching `, { code: type.pattern }];
}

function enumInWords(values: readonly string[]): Line {
  if (values.length === 1)
    return values[0] === "" ? ["always empty"] : ["always ", { code: values[0] ?? "" }];
  return [
    "one of ",
    ...values.flatMap((value, index): Span[] => [...(index > 0 ? [", "] : []), wordOf(value)]),
  ];
}

function wordOf(value: string): Span {
  return value === "" ? "nothing" : { code: value };
}

function numberInWords(type: NumberType): Line {
  const words = type.type === "integer" ? "whole number" : "number";
  const range = rangeInWords(type.minimum, type.maximum);
  if (type.buckets === undefined) return [words + range];
  return [`${words + range}, kept only as the nearest of these at or below it: ${type.buckets.join(", ")}`];
}

function rangeInWords(minimum: number | undefined, maximum: number | undefined): string {
  if (minimum !== undefined && maximum !== undefined) return ` from ${minimum} to ${maximum}`;
  if (minimum !== undefined) return ` of at least ${minimum}`;
  return maximum === undefined ? "" : ` of at most ${maximum}`;
}

function arrayInWords(type: ArrayType): Line {
  const { items } = type;
  const each =
    items.type === "boolean"
      ? ["true or false"]
      : items.type === "string"
        ? stringInWords(items)
        : numberInWords(items);
  return [`list of up to ${type.maxItems}, each: `, ...each];
}
