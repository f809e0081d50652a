/** Generates the sh table's texts for people: the notice, the questions, and what is new in a later plan. */
import type { Fields, Plan, PlanSourceName } from "../plan.ts";

/** Generates a function that prints what a person is told or asked. `$1` selects the text. */
export function writeWords(product: string): readonly string[] {
  const words = {
    notice: `${product} tells its makers how this install goes and, later, that it is in use`,
    installer: `May ${product} tell its makers how this install goes? [y/N]`,
    client: `May ${product} also tell its makers which of its parts are used? [y/N]`,
    more: "More is collected than you said Yes to; a No leaves it at that.",
    support: `May the makers of ${product} write to you about this install? [y/N]`,
    email: "Your e-mail address (empty: none is sent):",
  };
  const arms = Object.entries(words).map(([name, text]) => `${name}) printf '%s\\n' ${quote(text)} ;;`);
  return writeCase("candor_plan_words", arms);
}

/**
 * Generates a function that prints the changelog entries of the versions after `$2` that added something for
 * the source `$1`. `$2` is the version that a Yes was given for.
 */
export function writeNews(plan: Plan, sources: readonly PlanSourceName[]): readonly string[] {
  const arms = sources.map((source) => {
    const versions = versionsOf(plan, source);
    const texts = plan.changelog
      .toSorted((a, b) => a.version - b.version)
      .filter(({ version }) => version > 1 && versions.has(version))
      .map(
        ({ version, text }) =>
          `[ "$2" -ge ${version} ] || printf '%s\\n' ${quote(`New: ${text.replace(/\s+/g, " ").trim()}`)}`,
      );
    return `${source}) ${texts.length === 0 ? ":" : texts.join("; ")} ;;`;
  });
  return writeCase("candor_plan_news", arms);
}

/** The versions that added something to what a source may send. */
function versionsOf(plan: Plan, source: PlanSourceName): ReadonlySet<number> {
  const { context = {}, ids = {} } = plan.sources[source] ?? {};
  const events = plan.events.filter(({ sources }) => sources.includes(source));
  return new Set([
    ...[context, ids, ...events.map(({ fields }) => fields)].flatMap(sincesOf),
    ...events.map(({ since }) => since),
  ]);
}

function sincesOf(fields: Fields): readonly number[] {
  return Object.values(fields).flatMap((field) => [
    field.since,
    ...(field.type === "object" ? sincesOf(field.fields) : []),
  ]);
}

/** Generates a function that fails if no arm matches its first argument. */
export function writeCase(name: string, arms: readonly string[]): readonly string[] {
  return [
    `${name}() {`,
    "  case $1 in",
    ...arms.map((arm) => `    ${arm}`),
    "    *) return 1 ;;",
    "  esac",
    "}",
  ];
}

/**
 * Quotes a text for sh. Single quotes keep everything literal, so a single quote itself is written between
 * two quoted parts.
 */
export function quote(text: string): string {
  return `'${text.replaceAll("'", "'\\''")}'`;
}
