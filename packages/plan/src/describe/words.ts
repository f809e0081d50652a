/** Puts a plan's keywords, limits and types into plain words for the public page. */
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

export const CONSENT_WORDS: Readonly<Record<ConsentRule, string>> = {
  notice:
    "Sent after people were told about it, unless it is turned off. It can be turned off before the first event.",
  "opt-in": "Sent only after a Yes. No answer counts as No, and nothing from before a Yes is ever sent.",
};

export const CONSENT_NAMES: Readonly<Record<ConsentRule, string>> = {
  notice: "With notice",
  "opt-in": "Opt-in",
};

export const IP_WORDS: Readonly<Record<IpPolicy, Line>> = {
  drop: ["Discarded before anything is written. The country is not looked up either."],
  country: [
    "Replaced by the country, which is looked up on the collector's own machine. The address is discarded.",
  ],
  truncate: [
    "Truncated to the network before anything is written: ",
    { code: "203.0.113.57" },
    " becomes ",
    { code: "203.0.113.0" },
    " (24 bits of IPv4, 48 bits of IPv6). The country is looked up first, on the collector's own machine.",
  ],
  hash: [
    "Replaced by a keyed hash before anything is written: a pseudonym, because the same address always gives the same hash. " +
      "The country is looked up first, on the collector's own machine.",
  ],
  keep: [{ alarm: "Whole addresses are kept." }, " An address can lead to a household or a person."],
};

export const IP_NAMES: Readonly<Record<IpPolicy, Line>> = {
  drop: ["Discarded"],
  country: ["Country only"],
  truncate: ["Truncated to the network"],
  hash: ["Hashed with a key"],
  keep: [{ alarm: "Kept whole" }],
};

export const USER_AGENT_WORDS: Readonly<Record<UserAgentPolicy, Line>> = {
  drop: ["Discarded before anything is written."],
  family: [
    "Reduced to the browser and the operating system, such as ",
    { code: "Chrome on macOS" },
    ", before anything is written.",
  ],
  keep: [
    { alarm: "Kept whole." },
    " Together with other data it can distinguish one browser from most others.",
  ],
};

export function rateInWords(maxPerMinute: number): string {
  return `at most ${maxPerMinute} a minute from one process; of the rest only the number is sent`;
}

/** Describes a number of days: `365 days (1 year)`. */
export function retentionInWords(days: number): string {
  const years = days / 365;
  if (!Number.isInteger(years)) return days === 1 ? "1 day" : `${days} days`;
  return `${days} days (${years === 1 ? "1 year" : `${years} years`})`;
}

/** Describes the allowed values of a field, with their limits: `text of up to 128 characters`. */
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
  ip: "IP address, treated as described above",
  user_agent: "user agent, treated as described above",
  email: "e-mail address",
} as const;

function stringInWords(type: StringType): Line {
  if (type.hash) return ["pseudonym: hashed by the sender, then again by the collector"];
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
  return value === "" ? "empty" : { code: value };
}

function numberInWords(type: NumberType): Line {
  const words = type.type === "integer" ? "whole number" : "number";
  const range = rangeInWords(type.minimum, type.maximum);
  if (type.buckets === undefined) return [words + range];
  return [`${words + range}, rounded down to one of ${type.buckets.join(", ")}`];
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
  return [`list of up to ${type.maxItems} items, each `, ...each];
}
