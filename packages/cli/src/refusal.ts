/** Owns how a command that could not do what it was asked for ends: with a sentence on stderr, and 2. */
import { Refused, refuse } from "@candor/node/operator";
import { explainRefusal } from "./collector.ts";
import { toFaultText } from "./terminal.ts";

/** Runs a command that asks a collector. Whatever keeps it from asking is said; never rejects. */
export async function orRefuse(asking: Promise<number>): Promise<number> {
  try {
    return await asking;
  } catch (error) {
    return refuse(error instanceof Refused ? explainRefusal(error) : toFaultText(error));
  }
}
