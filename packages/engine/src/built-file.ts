/** Finds a package's built files, for threads and processes, which cannot load TypeScript. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Returns the path of a built file. Also works in tests, which run from the sources.
 * @param name the path relative to the calling module, ending in `.js`
 * @param caller the caller's `import.meta.url`
 * @throws Error if the package has not been built
 */
export function builtFile(name: string, caller: string): string {
  const beside = new URL(name, caller).href;
  const at = beside.lastIndexOf("/src/");
  const built = caller.endsWith(".ts")
    ? `${beside.slice(0, at)}/dist/${beside.slice(at + "/src/".length)}`
    : beside;
  const path = fileURLToPath(built);
  if (!existsSync(path)) throw new Error(`${path} is missing: run \`npm run build\` first`);
  return path;
}
