import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * A file of this package as built, named from its root, also for tests that run from the sources: a process of its own does not read TypeScript.
 * @throws if the package has not been built
 */
export function builtFile(name: string): string {
  const here = fileURLToPath(import.meta.url);
  const folder = here.endsWith(".ts") ? "../dist/" : "./";
  const path = fileURLToPath(new URL(folder + name, import.meta.url));
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
  return path;
}
