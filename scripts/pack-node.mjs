// Makes packages/node/packed/: @candor/node as it is installed, one folder without any dependency. What it needs of the
// workspace's other packages is copied in beside it, file by file, and nothing else is. Run after a build.
import { copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative } from "node:path";
import { root } from "./prepare.mjs";

const PACKAGES = join(root, "packages");
const packed = join(PACKAGES, "node", "packed");
const IMPORT = /(\bfrom\s+|\bimport\s*\(?\s*)"(\.[^"]+|@candor\/[^"]+)"/g;

const about = readPackage("node");
rmSync(packed, { recursive: true, force: true });
const copied = new Map();
for (const target of Object.values(about.exports)) {
  if (typeof target === "string") continue;
  copy(join(PACKAGES, "node", target.default));
  copy(join(PACKAGES, "node", target.types));
}
writeFileSync(join(packed, "package.json"), `${JSON.stringify(describe(), undefined, 2)}\n`);
for (const name of ["README.md", "../../LICENSE"]) {
  const from = join(PACKAGES, "node", name);
  if (existsSync(from)) copyFileSync(from, join(packed, basename(name)));
}
console.log(`${relative(root, packed)}: ${copied.size} files, no dependency`);

/** The package as it is published: what is only for the workspace is left out. */
function describe() {
  const { private: _private, dependencies: _inlined, exports, ...rest } = about;
  const published = Object.entries(exports).map(([path, target]) => [
    path,
    typeof target === "string" ? target : { types: target.types, default: target.default },
  ]);
  return { ...rest, sideEffects: false, exports: Object.fromEntries(published) };
}

/** Copies a built file, and all that it imports. @returns where it lies now */
function copy(file) {
  const known = copied.get(file);
  if (known !== undefined) return known;
  const [name, , ...path] = relative(PACKAGES, file).split("/");
  const place = join(packed, "dist", ...(name === "node" ? [] : ["inlined", name]), ...path);
  copied.set(file, place);
  const text = readFileSync(file, "utf8").replace(/\n\/\/# sourceMappingURL=.*\n?$/, "\n");
  const rewritten = text.replace(IMPORT, (_all, before, specifier) => {
    const target = relative(dirname(place), copy(resolveImport(specifier, file)));
    const path = target.replace(/\.d\.ts$/, ".js");
    return `${before}"${path.startsWith(".") ? path : `./${path}`}"`;
  });
  mkdirSync(dirname(place), { recursive: true });
  writeFileSync(place, rewritten);
  return place;
}

/** The built file that an import means: of a declaration another declaration. */
function resolveImport(specifier, from) {
  const isDeclaration = from.endsWith(".d.ts");
  if (specifier.startsWith(".")) {
    const target = join(dirname(from), specifier);
    return isDeclaration ? target.replace(/\.(js|ts)$/, ".d.ts") : target;
  }
  const [, name, ...rest] = specifier.split("/");
  const target = readPackage(name).exports[["", ...rest].length === 1 ? "." : `./${rest.join("/")}`];
  return join(PACKAGES, name, isDeclaration ? target.types : target.default);
}

function readPackage(name) {
  return JSON.parse(readFileSync(join(PACKAGES, name, "package.json"), "utf8"));
}
