import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * A file of this package as it was built, also for tests that run from the sources: a thread does not read TypeScript.
 * @param name path below `src` or `dist`, ending in `.js`
 */
export function builtFile(name: string): URL {
  const folder = import.meta.url.endsWith(".ts") ? "../dist/" : "./";
  const url = new URL(folder + name, import.meta.url);
  if (!existsSync(fileURLToPath(url)))
    throw new Error(`${url.pathname} is missing: run \`npm run build\` first`);
  return url;
}
