import { explainRefusal, NoAnswer, Refused } from "./collector.ts";
import { toSafeText } from "./safe-text.ts";
import { toFaultText } from "./terminal.ts";

/** Exit status of a command that could not do what it was asked for. 1 is an answer: not all is in order. */
export const COULD_NOT = 2;

/** Says on stderr why a command could not do what it was asked for. @returns its exit status */
export function refuse(sentence: string): number {
  process.stderr.write(`${sentence}\n`);
  return COULD_NOT;
}

/** Runs a command that asks a collector. Whatever keeps it from asking is said; never rejects. */
export async function orRefuse(asking: Promise<number>): Promise<number> {
  try {
    return await asking;
  } catch (error) {
    return refuse(toSentence(error));
  }
}

function toSentence(error: unknown): string {
  if (error instanceof Refused) return explainRefusal(error);
  return error instanceof NoAnswer ? toSafeText(error.message) : toFaultText(error);
}
