/** Finds files of this package's build. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * The path of a built file, named from the package's root, also for tests that run from the sources: a separate
 * process cannot load TypeScript.
 * @throws if the package has not been built
 */
export function builtFile(name: string): string {
  const here = fileURLToPath(import.meta.url);
  const folder = here.endsWith(".ts") ? "../dist/" : "./";
  const path = fileURLToPath(new URL(folder + name, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
  return path;
}
