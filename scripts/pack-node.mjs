// Packs @candor/node as it is published, without any dependency, into packages/node/packed/ or into a new
// folder that is given as an argument. Of the workspace's other packages, only the files that @candor/node
// imports are copied in. dist/ has the ES modules, commonjs/ the CommonJS modules
// (docs/decisions/0021-two-module-systems.md). Run this after a build.
import { chmodSync, copyFileSync, existsSync, mkdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { basename, dirname, join, relative, resolve } from "node:path";
import { root, run, tool } from "./prepare.mjs";

const PACKAGES = join(root, "packages");
const [, , named] = process.argv;
const packed = resolve(named ?? join(PACKAGES, "node", "packed"));
const IMPORT = /(\bfrom\s+|\bimport\s*\(?\s*)"(\.[^"]+|@candor\/[^"]+)"/g;

/** Compiles each file by itself, without type checks, because the build has already made those. */
const TO_COMMONJS = [
  ["--ignoreConfig", "--allowJs", "--removeComments", "--noCheck", "--noResolve", "--target", "es2022"],
  ["--module", "commonjs", "--moduleResolution", "bundler", "--rootDir", "dist", "--outDir", "commonjs"],
].flat();

const about = readPackage("node");
const entries = Object.entries(about.exports);
if (named === undefined) rmSync(packed, { recursive: true, force: true });
else if (existsSync(packed)) throw new Error(`${packed} exists. Name a new folder.`);
const copied = new Map();
for (const [, { types, default: code }] of entries) {
  copy(join(PACKAGES, "node", types));
  copy(join(PACKAGES, "node", code));
}
addCommonJs();
// A program is run, never required, so an ES module is enough.
for (const program of Object.values(about.bin)) chmodSync(copy(join(PACKAGES, "node", program)), 0o755);
writeJson("package.json", describe());
for (const name of ["README.md", "../../LICENSE"]) {
  const from = join(PACKAGES, "node", name);
  if (existsSync(from)) copyFileSync(from, join(packed, basename(name)));
}
console.log(`${relative(root, packed)}: ${copied.size} files, also as CommonJS; no dependency`);

/** The package.json as it is published, without the fields that only the workspace needs. */
function describe() {
  const { private: _private, dependencies: _inlined, devDependencies: _ours, exports, ...rest } = about;
  const main = toCommonJs(exports["."]);
  const paths = entries.filter(([path]) => path !== ".");
  return {
    ...rest,
    sideEffects: false,
    main: main.default,
    types: main.types,
    exports: Object.fromEntries(
      entries.map(([path, { types, default: code }]) => [
        path,
        { import: { types, default: code }, default: toCommonJs({ types, default: code }) },
      ]),
    ),
    // For compilers that do not read `exports` ("moduleResolution": "node10").
    typesVersions: {
      "*": Object.fromEntries(
        paths.map(([path, target]) => [path.slice("./".length), [toCommonJs(target).types]]),
      ),
    },
  };
}

/** The corresponding entry in commonjs/. */
function toCommonJs({ types, default: code }) {
  const [typesFile, codeFile] = [types, code].map((path) => path.replace("./dist/", "./commonjs/"));
  return { types: typesFile, default: codeFile };
}

/**
 * Makes commonjs/ from dist/. The declaration files are identical, because the nearest package.json decides
 * which module system they describe.
 */
function addCommonJs() {
  const places = [...copied.values()].map((place) => relative(packed, place));
  const modules = places.filter((place) => place.endsWith(".js"));
  run(tool("tsc"), [...TO_COMMONJS, ...modules], { cwd: packed });
  for (const place of places.filter((place) => place.endsWith(".d.ts"))) {
    const target = join(packed, place.replace(/^dist/, "commonjs"));
    mkdirSync(dirname(target), { recursive: true });
    copyFileSync(join(packed, place), target);
  }
  writeJson("commonjs/package.json", { type: "commonjs" });
}

function writeJson(name, value) {
  writeFileSync(join(packed, name), `${JSON.stringify(value, undefined, 2)}\n`);
}

/** Copies a built file and everything that the file imports. @returns the path of the copy */
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

/** The built file that an import refers to. An import in a declaration file refers to a declaration file. */
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
