/** Reads the values of environment variables as words. */
import { CI_SYSTEMS } from "./ci-systems.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** ASCII white space, and the quotes that `docker run --env-file` leaves where other readers strip them. */
const AROUND = " \t\n\v\f\r\"'";
const NO_WORDS: readonly string[] = ["0", "false", "no", "off"];
const YES_WORDS: readonly string[] = ["1", "true", "yes", "on"];
const ZERO_WORDS: readonly string[] = ["0", "false"];

/** Whether the variable is set, to whatever value. */
export function isPresent(environment: Environment, name: string): boolean {
  return typeof environment[name] === "string";
}

/** The variable's value, trimmed and in lower case. Empty if it is not set. */
export function wordOf(environment: Environment, name: string | undefined): string {
  // A name such as `constructor` would find a property that every object inherits.
  const value: unknown = name === undefined ? undefined : environment[name];
  return typeof value === "string" ? withoutSurroundings(value).toLowerCase() : "";
}

export function isNo(word: string): boolean {
  return NO_WORDS.includes(word);
}

/** Any word except a No. */
export function isTruthy(word: string): boolean {
  return word !== "" && !isNo(word);
}

/** A consent is never guessed: any other word is not a Yes. */
export function isYes(word: string): boolean {
  return YES_WORDS.includes(word);
}

/** `DO_NOT_TRACK` and `CI` accept fewer words: they are conventions of many programs, which do not include `no`. */
export function isRaised(word: string): boolean {
  return word !== "" && !ZERO_WORDS.includes(word);
}

/**
 * Whether this runs in a CI system, according to `CI` or to the variables of a system that does not set it.
 * `CI=false` means no, whatever else is set.
 */
export function isCi(environment: Environment): boolean {
  const word = wordOf(environment, "CI");
  if (word !== "") return isRaised(word);
  return CI_SYSTEMS.some(({ variables }) => variables.every((name) => isRaised(wordOf(environment, name))));
}

/** Written by hand: a regular expression anchored at the end takes quadratic time. */
function withoutSurroundings(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && AROUND.includes(text.charAt(from))) from += 1;
  while (to > from && AROUND.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}
