/** Measures what installing a package puts on disk. */
import { existsSync, readdirSync, readFileSync, realpathSync, statSync } from "node:fs";
import { dirname, join } from "node:path";

export type InstalledSize = {
  /** The sum of the sizes of all files, without the file system's overhead. */
  readonly bytes: number;
  /**
   * The number of other packages that are installed with the package. A second copy or version counts again.
   */
  readonly dependencies: number;
};

type Manifest = {
  readonly dependencies?: Readonly<Record<string, string>>;
  readonly optionalDependencies?: Readonly<Record<string, string>>;
};

/**
 * The size of a package and all its dependencies, which are resolved as Node resolves them. Peer dependencies
 * do not count. Optional dependencies count if they are installed.
 * @throws Error if a dependency is not installed
 */
export function installedSize(folder: string): InstalledSize {
  const found = new Set([realpathSync(folder)]);
  let bytes = 0;
  for (const place of found) {
    bytes += treeBytes(place);
    const manifest: Manifest = JSON.parse(readFileSync(join(place, "package.json"), "utf8"));
    for (const name of Object.keys(manifest.dependencies ?? {})) {
      const dependency = locatePackage(name, place);
      if (dependency === null) throw new Error(`${name} is not installed; ${place} needs it`);
      found.add(dependency);
    }
    for (const name of Object.keys(manifest.optionalDependencies ?? {})) {
      const dependency = locatePackage(name, place);
      if (dependency !== null) found.add(dependency);
    }
  }
  return { bytes, dependencies: found.size - 1 };
}

/** The real path of the package in the nearest `node_modules`, from `from` upward; null if there is none. */
export function locatePackage(name: string, from: string): string | null {
  for (let folder = from; ; folder = dirname(folder)) {
    const candidate = join(folder, "node_modules", name);
    if (existsSync(join(candidate, "package.json"))) return realpathSync(candidate);
    if (dirname(folder) === folder) return null;
  }
}

/** The size of a file or folder, without any `node_modules`, whose packages count separately. */
function treeBytes(path: string): number {
  const stats = statSync(path);
  if (!stats.isDirectory()) return stats.size;
  return readdirSync(path)
    .filter((name) => name !== "node_modules")
    .reduce((sum, name) => sum + treeBytes(join(path, name)), 0);
}
