/** Finds built files next to a package's modules, for code that cannot be loaded as TypeScript. */
import { existsSync } from "node:fs";
import { fileURLToPath } from "node:url";

/**
 * Returns the path of a built file, for a thread or a separate process, which cannot load TypeScript. Also
 * works in tests, which run from the sources.
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
