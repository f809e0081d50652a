import { readSettings } from "./environment.ts";
import { findKeys, renderKeys, toMissingSentence } from "./known-keys.ts";
import { endWithReader, print } from "./terminal.ts";

/**
 * `candor keys`: prints the write keys and the token, as columns or as the JSON of keys.json.
 * @throws CandorError
 */
export async function printKeys({ json = false }: { readonly json?: boolean }): Promise<number> {
  endWithReader();
  const config = readSettings();
  const keys = findKeys(config);
  if (keys === undefined) {
    process.stderr.write(`${toMissingSentence(config)}\n`);
    return 1;
  }
  await print(json ? `${JSON.stringify(keys, null, 2)}\n` : renderKeys(keys));
  return 0;
}
