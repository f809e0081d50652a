/** Finds files of this package's build. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The URL of a built file, also for tests that run from the sources: a thread cannot load TypeScript.
 * @param name path below `src` or `dist`, ending in `.js`
 */
export function builtFile(name: string): URL {
  const folder = import.meta.url.endsWith(".ts") ? "../dist/" : "./";
  const url = new URL(folder + name, import.meta.url);
  if (!existsSync(fileURLToPath(url)))
    throw new Error(`${url.pathname} is missing: run \`npm run build\` first`);
  return url;
}
