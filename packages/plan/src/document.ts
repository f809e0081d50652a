/** Reads a YAML file as plain data, with the position of every value in it. */
import { type Document, isAlias, isMap, isScalar, isSeq, LineCounter, type Node, parseDocument } from "yaml";
import { explainYamlError } from "./yaml-faults.ts";

/** The keys and list positions from the file's root to a value. */
export type Path = readonly (string | number)[];

/** Reports a fault. With `part`, the position is that of the path's key instead of its value. */
export type Report = (path: Path, message: string, part?: "key") => void;

/** A YAML file as plain data. Objects have no prototype, so that any key is safe. */
export interface PlanDocument {
  /** The data. A part that could not be read is undefined or missing, and `faults` says why. */
  readonly value: unknown;
  readonly faults: readonly (Position & { readonly path: Path; readonly message: string })[];
  /**
   * The position of the value at a path, or of its key if `part` is given. A path that is not in the file has
   * the position of its nearest parent, or line 1, column 1 if there is none. Lines and columns start at 1.
   */
  locate(path: Path, part?: "key"): Position;
  /**
   * Resolves a path to where its value is written: an alias in the path is replaced by the path of its
   * anchor.
   */
  resolve(path: Path): Path;
}

interface Position {
  readonly line: number;
  readonly column: number;
}

const MAX_TEXT = 2_000_000;
const MAX_VALUES = 100_000;
const MAX_DEPTH = 48;

interface Reading {
  readonly anchors: Map<string, { readonly node: Node; readonly path: Path }>;
  /** Maps the path of each alias to the path of its anchor. */
  readonly aliases: Map<string, Path>;
  readonly places: Map<string, { key: number; value: number }>;
  readonly faults: { offset: number; path: Path; message: string }[];
  valuesLeft: number;
}

/** Reads one YAML 1.2 document. Never throws: what is wrong with the text is in `faults`. */
export function readDocument(text: string): PlanDocument {
  const lines = new LineCounter();
  const reading: Reading = {
    anchors: new Map(),
    aliases: new Map(),
    places: new Map(),
    faults: [],
    valuesLeft: MAX_VALUES,
  };
  const document = parseText(text, lines, reading);
  let value: unknown;
  if (document !== undefined) value = toValue(document.contents, [], 0, reading);
  const place = (offset: number) => {
    const { line, col } = lines.linePos(offset);
    return { line: Math.max(line, 1), column: Math.max(col, 1) };
  };
  return {
    value,
    faults: reading.faults.map(({ offset, ...fault }) => ({ ...place(offset), ...fault })),
    locate(path, part) {
      const own = reading.places.get(keyOf(path));
      if (own !== undefined) return place(part === "key" ? own.key : own.value);
      for (let length = path.length - 1; length > 0; length -= 1) {
        const parent = reading.places.get(keyOf(path.slice(0, length)));
        if (parent !== undefined) return place(parent.key);
      }
      return { line: 1, column: 1 };
    },
    resolve: (path) => resolvePath(path, reading),
  };
}

function parseText(text: string, lines: LineCounter, reading: Reading): Document.Parsed | undefined {
  const fail = (offset: number, message: string) => void reading.faults.push({ offset, path: [], message });
  if (text.length > MAX_TEXT) {
    fail(0, `The file is longer than ${MAX_TEXT} characters. Write a plan, in YAML.`);
    return undefined;
  }
  const options = { lineCounter: lines, uniqueKeys: false, stringKeys: true, prettyErrors: false } as const;
  const document = parseDocument(text, { ...options, schema: "core", merge: false, logLevel: "error" });
  // Only the parser's first error is reported, because the errors after it are usually consequences.
  const broken = document.errors.toSorted((a, b) => a.pos[0] - b.pos[0]).slice(0, 1);
  for (const error of [...broken, ...document.warnings]) {
    const { offset, message } = explainYamlError(error, text, document);
    fail(offset, message);
  }
  return broken.length === 0 ? document : undefined;
}

function toValue(node: Node | null, path: Path, offset: number, reading: Reading): unknown {
  const start = node?.range?.[0] ?? offset;
  const fail = (message: string) => void reading.faults.push({ offset: start, path, message });
  reading.valuesLeft -= 1;
  if (reading.valuesLeft < 0) {
    if (reading.valuesLeft === -1) fail(`The plan exceeds ${MAX_VALUES} values here. Use fewer aliases.`);
    return undefined;
  }
  if (path.length > MAX_DEPTH) {
    fail("This is nested too deeply. A plan's objects nest at most 8 deep.");
    return undefined;
  }
  if (isAlias(node)) {
    const target = reading.anchors.get(node.source);
    if (target === undefined) fail("This alias has no anchor above it. Write the anchor (`&name`) first.");
    if (target === undefined) return undefined;
    reading.aliases.set(keyOf(path), target.path);
    return toValue(target.node, path, offset, reading);
  }
  const value = toPlain(node, path, reading);
  const anchor = isMap(node) || isSeq(node) || isScalar(node) ? node.anchor : undefined;
  // Set after the content has been read, so that the content cannot contain an alias of its own anchor.
  if (node !== null && anchor !== undefined) {
    reading.anchors.set(anchor, { node, path: resolvePath(path, reading) });
  }
  return value;
}

function resolvePath(path: Path, { aliases }: Reading): Path {
  let written: Path = [];
  for (const step of path) {
    const own = [...written, step];
    written = aliases.get(keyOf(own)) ?? own;
  }
  return written;
}

function toPlain(node: Node | null, path: Path, reading: Reading): unknown {
  if (isMap(node)) {
    const record: { [key: string]: unknown } = Object.create(null);
    for (const pair of node.items) addPair(record, pair.key, pair.value, path, reading);
    return record;
  }
  if (isSeq(node)) {
    return node.items.map((item, index) => {
      const offset = startOf(item) ?? node.range?.[0] ?? 0;
      reading.places.set(keyOf([...path, index]), { key: offset, value: offset });
      return toValue(item as Node | null, [...path, index], offset, reading);
    });
  }
  return isScalar(node) ? node.value : null;
}

function addPair(
  record: { [key: string]: unknown },
  key: unknown,
  value: unknown,
  path: Path,
  reading: Reading,
) {
  const offset = startOf(key) ?? 0;
  const at = [...path, isScalar(key) ? String(key.value) : "?"];
  const fail = (message: string) => void reading.faults.push({ offset, path: at, message });
  const name = isScalar(key) ? key.value : undefined;
  if (typeof name !== "string") return fail("This key is not a plain word. Write a text before the colon.");
  if (name === "<<") return fail("Merge keys (`<<`) are not supported. Write the keys out.");
  if (name in record) return fail("Duplicate key. Remove one of the two.");
  const isEmpty = value === null || (isScalar(value) && value.value === null);
  reading.places.set(keyOf([...path, name]), {
    key: offset,
    value: isEmpty ? offset : (startOf(value) ?? offset),
  });
  record[name] = toValue(value as Node | null, [...path, name], offset, reading);
}

function startOf(node: unknown): number | undefined {
  return isAlias(node) || isScalar(node) || isMap(node) || isSeq(node) ? node.range?.[0] : undefined;
}

function keyOf(path: Path): string {
  return JSON.stringify(path);
}
