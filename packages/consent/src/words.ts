/** Normalises and interprets the values of environment variables. */
import { CI_SYSTEMS } from "./ci-systems.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** ASCII white space, and the quotes that `docker run --env-file` keeps and other readers strip. */
const AROUND = " \t\n\v\f\r\"'";
const NO_WORDS: readonly string[] = ["0", "false", "no", "off"];
const YES_WORDS: readonly string[] = ["1", "true", "yes", "on"];
const ZERO_WORDS: readonly string[] = ["0", "false"];

/** Whether the variable is set to any value, including an empty one. */
export function isPresent(environment: Environment, name: string): boolean {
  return typeof environment[name] === "string";
}

/**
 * The variable's value in lower case, without the white space and quotes around it; empty if the variable is
 * not set.
 */
export function wordOf(environment: Environment, name: string | undefined): string {
  // A name such as `constructor` would find a property that every object inherits.
  const value: unknown = name === undefined ? undefined : environment[name];
  return typeof value === "string" ? withoutSurroundings(value).toLowerCase() : "";
}

export function isNo(word: string): boolean {
  return NO_WORDS.includes(word);
}

/** Whether a word is neither empty nor a No. */
export function isTruthy(word: string): boolean {
  return word !== "" && !isNo(word);
}

/** Whether a word is a Yes. No other word counts as a Yes, because a consent is never guessed. */
export function isYes(word: string): boolean {
  return YES_WORDS.includes(word);
}

/**
 * Whether the value of a variable that other programs also read, such as `DO_NOT_TRACK` or `CI`, counts as
 * set: any word except `0`, `false` and the empty one. Those programs do not read `no` as No.
 */
export function isRaised(word: string): boolean {
  return word !== "" && !ZERO_WORDS.includes(word);
}

/**
 * Whether an environment is that of a CI system, according to `CI` or, if `CI` is empty or not set, to the
 * variables of known CI systems. `CI=false` means that it is not, whatever else is set.
 */
export function isCi(environment: Environment): boolean {
  const word = wordOf(environment, "CI");
  if (word !== "") return isRaised(word);
  return CI_SYSTEMS.some(({ variables }) => variables.every((name) => isRaised(wordOf(environment, name))));
}

/**
 * Removes the `AROUND` characters. Not a regular expression, because one anchored at the end takes quadratic
 * time.
 */
function withoutSurroundings(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && AROUND.includes(text.charAt(from))) from += 1;
  while (to > from && AROUND.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}
