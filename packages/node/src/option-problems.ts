/** Sentences about what a product gave wrongly: which option, and what to write instead. Values are not repeated. */

/** Names that are no options. @param call what stands before the name, such as `gateway.` */
export function findUnknown(given: object, names: readonly string[], call = ""): readonly string[] {
  return Object.keys(given)
    .filter((name) => !names.includes(name))
    .map((name) => {
      const meant = names.find((known) => known.toLowerCase() === name.toLowerCase());
      const instead = meant === undefined ? `these are known: ${names.join(", ")}` : `write \`${meant}\``;
      return `${call}${name}: there is no such option; ${instead}.`;
    });
}

/** @param what such as `a number of hours`. Nothing is wrong with `undefined` */
export function findNoNumber(
  name: string,
  value: unknown,
  what: string,
  least: number,
  most = Number.POSITIVE_INFINITY,
): readonly string[] {
  if (value === undefined) return [];
  if (typeof value === "number" && Number.isFinite(value) && value >= least && value <= most) return [];
  const range = most === Number.POSITIVE_INFINITY ? `at least ${least}` : `from ${least} to ${most}`;
  return [`${name}: give ${what}, ${range}.`];
}

/** @param what such as `a function`. Nothing is wrong with `undefined` */
export function findOtherType(
  name: string,
  value: unknown,
  type: "function" | "string" | "object",
  what: string,
): readonly string[] {
  return value === undefined || (typeof value === type && value !== null) ? [] : [`${name}: give ${what}.`];
}
