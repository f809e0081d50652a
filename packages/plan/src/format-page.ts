/** Generates docs/plan-format.md. */
import { EXAMPLE_PLAN } from "./example-plan.ts";
import { followRef, planShape, type Shape } from "./schema-file.ts";

/**
 * Returns the text of docs/plan-format.md: every key of the plan file, the rules between keys, and an
 * example.
 */
export function planFormatPage(): string {
  const plan = planShape();
  const source = plan.properties?.sources?.properties?.client ?? {};
  const field = followRef(source.properties?.context?.additionalProperties || {});
  const blocks: [string, Shape][] = [
    ["The file", plan],
    ["`switches`", plan.properties?.switches ?? {}],
    ["`contacts`", plan.properties?.contacts ?? {}],
    ["`changelog`, each entry", plan.properties?.changelog?.items ?? {}],
    ["`sources`", plan.properties?.sources ?? {}],
    ["`installer`, `server`, `client`", source],
    ["`ids`", source.properties?.ids ?? {}],
    ["`events`, each event", plan.properties?.events?.items ?? {}],
    ["A field", field],
    ["`items` of an array", field.properties?.items ?? {}],
  ];
  const sections = blocks.map(([title, shape]) => toSection(title, shape));
  return [INTRO, ...sections, RULES, `## Example\n\n\`\`\`yaml\n${EXAMPLE_PLAN}\`\`\`\n`].join("\n");
}

function toSection(title: string, shape: Shape): string {
  const required = shape.required ?? [];
  const rows = Object.entries(shape.properties ?? {}).map(([key, item]) => {
    const need = required.includes(key) ? "needed" : item.default === undefined ? "" : `\`${item.default}\``;
    return `| \`${key}\` | ${typeOf(item)} | ${need} | ${cell(followRef(item).description ?? "")} |`;
  });
  const head = "| key | value | default | meaning |\n|---|---|---|---|";
  return `## ${title}\n\n${shape.description ?? ""}\n\n${head}\n${rows.join("\n")}\n`;
}

function typeOf(shape: Shape): string {
  const { enum: values, type, items, pattern } = shape;
  if (values !== undefined) return `one of ${values.map((value) => `\`${value}\``).join(", ")}`;
  if (shape.$ref !== undefined) return "a field";
  if (type === "array")
    return `list of ${items?.properties === undefined ? typeOf(items ?? {}) : "blocks"}${sizeOf(shape)}`;
  if (type === "object") return shape.propertyNames === undefined ? "block" : "block of fields, by name";
  if (Array.isArray(type)) {
    if (items === undefined) return "a value of the field's type";
    return `${typeOf({ ...shape, type: "string" })}; or a list of such${sizeOf({ ...shape, type: "array" })}`;
  }
  if (pattern !== undefined) return `text that matches \`${cell(pattern)}\``;
  return `${WORDS[String(type)] ?? String(type)}${sizeOf(shape)}`;
}

const WORDS: { readonly [type: string]: string | undefined } = {
  string: "text",
  integer: "whole number",
  number: "number",
  boolean: "`true` or `false`",
};

function sizeOf(shape: Shape): string {
  const least = shape.minimum ?? shape.minLength ?? shape.minItems;
  const most = shape.maximum ?? shape.maxLength ?? shape.maxItems;
  const unit = shape.type === "string" ? " characters" : shape.type === "array" ? " items" : "";
  if (most !== undefined) return `, ${least ?? 0} to ${most}${unit}`;
  return least === undefined ? "" : `, at least ${least}${least === 1 ? unit.replace(/s$/, "") : unit}`;
}

function cell(text: string): string {
  return text.replaceAll("|", "\\|").replaceAll("\n", " ");
}

const INTRO = `# The plan file

Generated from \`format.ts\`, \`field-format.ts\` and \`format-page.ts\` in \`packages/plan/src/\` by \`npm run docs\`.

A plan is one YAML file, reviewed as code. It declares all that may be collected, why, who answers for it, and for how
long it is kept. What it does not declare is not sent by an SDK and not stored by a collector. The page for the public
is made of it.

Editors check it while you type when the file's first line is

    # yaml-language-server: $schema=https://path/to/plan.schema.json

with the place of \`packages/plan/plan.schema.json\`. \`candor plan check FILE\` checks everything, the rules below as well,
and tells all faults at once, each with file, line, column and what to write instead:

    plan.yaml:31:14 sources.client.consent: This is not one of the values. Write one of \`notice\`, \`opt-in\`. Did you mean \`opt-in\`?

The file is YAML 1.2, one document. A key may stand once in a block. Aliases (\`*name\`) work, merge keys (\`<<\`) do not.
Dates stand in quotes or not, as \`YYYY-MM-DD\`. Keys that are not listed here are faults: a slip of the pen must not collect
or protect something else.
`;

const RULES = `## Rules

Versions
- \`changelog\` has an entry for the plan's \`version\`, none newer, none twice, in order (all rising or all falling).
- No \`since\` is newer than the plan. A field is not older than its event, nor than the object that it stands in.
- The \`since\` of a field is by default that of its event or object; in \`context\` and \`ids\` it is 1.

Events
- An event is known by its type and name, once in the plan. \`track\` needs a name; \`page\` and \`screen\` may have one;
  \`identify\`, \`group\` and \`alias\` have none.
- \`identify\` and \`group\` have \`traits\`, all others \`properties\`.
- Its sources are declared under \`sources\`. At least one source is.
- Where anything is \`opt-in\`, \`switches.opt_in\` names the variable that holds the answer.
- An event that has expired is refused by the collector; it is not a fault in the file.
- \`max_per_minute\` keeps a loop in the product from flooding the collector. It is about one event in one process of a
  server: \`max_per_minute: 60\` for what happens once a second at most. Write more than the default only for an event that a
  busy server has more often. A greater number is more that is collected, and needs a new version.

Fields
- A name has 1 to 64 letters, digits, \`_\`, \`-\`, \`$\` or blanks, no dots, and is not \`__proto__\`, \`constructor\` or \`prototype\`.
- \`max_length\`, \`enum\`, \`pattern\`, \`format\` and \`hash\` are for strings; \`minimum\`, \`maximum\` and \`buckets\` for numbers;
  \`items\` (needed) and \`max_items\` for arrays; \`fields\` (needed) for objects. Limits of an array's items stand under \`items\`.
- Objects nest at most 8 deep. They have no \`sensitivity\`, no \`example\` and no \`column\`: their fields do.
- Every other field has a \`sensitivity\`, and an \`example\` that the collector would keep whole.
- A text that as a whole looks like an IP address is treated as one: the source's policy applies, and that is noted. A version
  of four numbers (\`4.2.0.17\`) looks like one too. Write \`format: version\` for versions: an optional \`v\`, a digit, then digits,
  letters, \`.\`, \`-\` and \`+\`.
- \`hash\` goes without \`enum\`, \`pattern\` and \`format\`. \`enum\` goes without \`pattern\` and \`format\`. \`pattern\` goes with the formats
  \`text\` and \`url\`; for a URL it is the path that must match.
- A \`pattern\` is for the whole value (no \`^\` and \`$\` needed), in JavaScript's syntax of ECMAScript 2024 with the flag \`u\`,
  without lookbehind. Groups may be optional and may repeat: \`[0-9]{1,3}[.][0-9]{1,3}(-beta[.][0-9]{1,3})?\`. All patterns of
  a message together may cost at most a million steps of the matcher, about 10 ms, whatever its values are. That counts an
  event's fields and its source's \`context\` and \`ids\`, and a pattern under \`items\` counts \`max_items\` times. Repetitions cost
  little where the next character decides which one takes it (\`[0-9]+[.][0-9]+[.][0-9]+\`, \`[a-z]+(-[a-z]+)*\`), and much
  where several can (\`.*.*.*x\`, \`([a-z]+-?)*x\`). Alternatives in a repeated group cost little where a character in the same
  place tells them apart (\`(feature|fix)(,(feature|fix))*\`). Prefer \`{1,16}\` to \`+\`.
- \`buckets\` rise, and lie within \`minimum\` and \`maximum\`. What is below the first is removed.
- \`sensitivity: content\` needs an \`exception\`; no other has one.
- Only fields of events can be \`required\`, and not those of format \`ip\` or \`user_agent\`, which a policy may take away.
- A \`column\` has one type wherever its path stands.
- A \`fact\` and a \`dimension\` stand directly in \`properties\` and have few values: an \`enum\`, a \`pattern\` with
  \`max_length\` up to 64, a boolean, or \`buckets\`; a dimension may also be an integer whose \`minimum\` and \`maximum\` are
  at most 1000 apart. They are never hashed, typed by people or a contact. A fact is
  \`technical\`. An event has at most 16 facts and 8 dimensions, one \`measure: success\` and one \`measure: duration\`. These
  keys and \`heartbeat\` change nothing that is collected, so they need no new version.
- One \`track\` event of \`server\` may be the \`heartbeat\`. It carries the instance's id: it declares the property that the
  server's \`instance_id\` names. Without that key, it declares \`instanceId\`, or the server declares \`anonymousId\` under \`ids\`.
- An id is a string with a \`pattern\`, an \`enum\`, \`hash: true\` or \`format: ip\`: any text would let names and addresses pass.

Instances
- \`instance_id\` says where a source's messages carry the instance's id. It decides what an instance may compare and delete,
  and what reports count. An event of the source declares that property, as a string without \`hash\` and \`format\`;
  \`anonymousId\` is declared under \`ids\` in the same way, but not for the client, where it is a browser's. The installer's
  \`anonymousId\` is an attempt's, not an instance's, unless the plan says so.
- The SDK for servers fills the property in, and makes the instance's id the \`anonymousId\` of what it sends: a server
  without \`instance_id\` is found by both. Its gateway fills the client's property in, whatever the browser says of it.

Contacts
- A \`contact\` field is a string of format \`email\` or \`text\`, directly in an event's \`properties\` or \`traits\`, at most one in an
  event. It is never \`required\`, never a \`column\`, never hashed. \`format: email\` stands nowhere else.
- \`kept_with\` names fields beside it that have an \`enum\` or a \`pattern\`.
- \`contacts.retention_days\` is written down wherever there is a contact field.

Variables
- Beside those under \`switches\`, \`<PRODUCT>_TELEMETRY=log\` makes an SDK print what it would send, and send nothing. \`<PRODUCT>\`
  is the plan's \`product\` in capitals, with \`_\` for all that is no letter or digit. \`switches\` names other variables.
- \`<PRODUCT>_DISABLE_TELEMETRY\` is the name that operators try first: \`NODE_RED_DISABLE_TELEMETRY\` for Node-RED. If
  \`switches.disable\` does not have it, \`candor plan check\` says so. A product that has another name for it already lists
  both, the one that it tells people of first: \`disable: [NODERED_NO_STATS, NODE_RED_DISABLE_TELEMETRY]\`.

New versions
- A consent is given for what one version collects: its record holds the plan's \`version\` and the hash that \`candor plan
  check\` prints. The hash is SHA-256 of the sources, events and fields with their types, limits, consent rules, policies and
  times of keeping. It is the same when only texts change, or the order in the file; another version number alone does not
  change it. With the same version and another hash a consent is stale, and nothing is sent until it is given anew.
- So the \`version\` grows whenever what is collected changes: something new (a source, event, field, wider limits), something
  more sensitive (also: a policy that keeps more, a hash or a promise removed, mode \`observe\`), kept longer, a weaker
  consent rule, and also when less is collected. What is new has a \`since\` greater than the old version.
- A consent for an older version stays good for what that version had. Events, fields and ids with a newer \`since\` are not
  sent until somebody is asked again; an event that needs such a field is held back as a whole.
- \`candor plan diff OLD NEW\` shows what differs; \`candor plan check\` compares with the version before it in git, and
  refuses a plan whose version hides a change.
`;
