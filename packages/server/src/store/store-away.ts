/** Turns a failed store into an error. */
import { CandorError, causeOf } from "../errors.ts";

/** Runs work with the store; what the client throws becomes CandorError `store_away`. */
export async function whileStoreAnswers<Value>(work: () => Promise<Value>): Promise<Value> {
  try {
    return await work();
  } catch (error) {
    if (error instanceof CandorError) throw error;
    throw new CandorError("store_away", { cause: causeOf(error) }, error);
  }
}
