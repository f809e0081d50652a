/** For tests: compares the public page with what the collector stores. */
import { expect } from "vitest";
import type { Use } from "./use.ts";

interface PublicPage {
  /** The text of every `<code>` element on the page. */
  readonly names: ReadonlySet<string>;
  readonly events: readonly ListedEvent[];
}

interface ListedEvent {
  readonly name: string;
  readonly properties: readonly string[];
  /** The sample message, as JSON. */
  readonly sample: string;
}

const ENTITIES: Readonly<Record<string, string>> = { lt: "<", gt: ">", quot: '"', "#39": "'", amp: "&" };

function readPage(html: string): PublicPage {
  const [, ...sections] = html.split('<section class="event"');
  return {
    names: new Set(codesOf(html)),
    events: sections.map((section) => {
      const [whole = ""] = section.split("</section>");
      const [name = ""] = codesOf(whole);
      const [, sample = ""] = /<pre[^>]*>(.*?)<\/pre>/s.exec(whole) ?? [];
      const rows = [...whole.matchAll(/<tr role="row"><th scope="row".*?<\/th>/gs)];
      const properties = rows.map(([cell]) => codesOf(cell)[0] ?? "");
      return { name, properties, sample: toText(sample) };
    }),
  };
}

function codesOf(html: string): readonly string[] {
  return [...html.matchAll(/<code[^>]*>(.*?)<\/code>/gs)].map(([, inner = ""]) => toText(inner));
}

function toText(html: string): string {
  return html.replaceAll(/<[^>]*>/g, "").replaceAll(/&(#?\w+);/g, (whole, name) => ENTITIES[name] ?? whole);
}

/** The paths and values of everything in `value` that is not an object. An array counts as one value. */
export function leavesOf(value: unknown, path: string): readonly (readonly [string, unknown])[] {
  if (typeof value !== "object" || value === null || Array.isArray(value)) return [[path, value]];
  return Object.entries(value).flatMap(([name, inner]) =>
    leavesOf(inner, path === "" ? name : `${path}.${name}`),
  );
}

/**
 * Expects that the page lists every stored path and, for the named events, no property that is not stored.
 */
export async function expectListed({ collector }: Use, named: readonly string[]): Promise<void> {
  const page = readPage(await collector.read("/privacy"));
  const events = await collector.events();
  for (const event of events) {
    const listed = page.events.find(({ name }) => name === event.event);
    expect(listed, event.event).toBeDefined();
    const sample = new Set(leavesOf(JSON.parse(listed?.sample ?? "{}"), "").map(([path]) => path));
    for (const [path] of leavesOf(event, "")) {
      const isDeclared = path.startsWith("properties.") && listed?.properties.includes(path.slice(11));
      const isAdded = !path.startsWith("properties.") && page.names.has(path.split(".")[0] ?? "");
      expect(isDeclared || isAdded || sample.has(path), `${path} of ${event.event}`).toBe(true);
    }
  }
  for (const name of named) {
    const stored = new Set(
      events
        .filter(({ event }) => event === name)
        .flatMap((event) => leavesOf(event.properties ?? {}, "").map(([path]) => path)),
    );
    const rows = page.events.find((listed) => listed.name === name)?.properties ?? [];
    const listed = rows.filter((path) => !rows.some((other) => other.startsWith(`${path}.`)));
    // This product has no organisations.
    expect(new Set(listed.filter((path) => path !== "orgId")), name).toEqual(stored);
  }
}
