import { CI_SYSTEMS } from "./ci-systems.ts";

type Environment = Readonly<Record<string, string | undefined>>;

/** White space of ASCII, and the quotes that `docker run --env-file` leaves where other readers take them off. */
const AROUND = " \t\n\v\f\r\"'";
const NO_WORDS: readonly string[] = ["0", "false", "no", "off"];
const YES_WORDS: readonly string[] = ["1", "true", "yes", "on"];
const ZERO_WORDS: readonly string[] = ["0", "false"];

/** Whether the variable stands in the environment, with whatever value. */
export function isPresent(environment: Environment, name: string): boolean {
  return typeof environment[name] === "string";
}

/** The variable's value in lower case, without what surrounds it. Empty when it is not set: that says nothing. */
export function wordOf(environment: Environment, name: string | undefined): string {
  // A name such as `constructor` would find what every object inherits.
  const value: unknown = name === undefined ? undefined : environment[name];
  return typeof value === "string" ? withoutSurroundings(value).toLowerCase() : "";
}

export function isNo(word: string): boolean {
  return NO_WORDS.includes(word);
}

/** Any word but a No. */
export function isTruthy(word: string): boolean {
  return word !== "" && !isNo(word);
}

/** A consent is not guessed: any other word is none. */
export function isYes(word: string): boolean {
  return YES_WORDS.includes(word);
}

/** `DO_NOT_TRACK` and `CI` know fewer words: theirs is a convention of many programs, and `no` is none of it. */
export function isRaised(word: string): boolean {
  return word !== "" && !ZERO_WORDS.includes(word);
}

/**
 * Whether this runs in a CI system: `CI` says so, or the variables of a system that does not set `CI`. `CI=false` means that
 * it does not, whatever else is set.
 */
export function isCi(environment: Environment): boolean {
  const word = wordOf(environment, "CI");
  if (word !== "") return isRaised(word);
  return CI_SYSTEMS.some(({ variables }) => variables.every((name) => isRaised(wordOf(environment, name))));
}

/** By hand, because an expression that is tied to the end takes quadratic time. */
function withoutSurroundings(text: string): string {
  let from = 0;
  let to = text.length;
  while (from < to && AROUND.includes(text.charAt(from))) from += 1;
  while (to > from && AROUND.includes(text.charAt(to - 1))) to -= 1;
  return text.slice(from, to);
}
