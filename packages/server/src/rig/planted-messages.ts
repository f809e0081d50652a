/** For tests: messages with secrets planted in them. */
import { type Fields, ID_NAMES, type Plan, type PlanEvent, type PlanSourceName } from "@candor/plan";
import type { Json } from "./plan-oracle.ts";
import type { Secrets } from "./planted-secrets.ts";

const UUID = "6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d";
const OBJECTS = [
  "device",
  "app",
  "campaign",
  "traits",
  "page",
  "network",
  "os",
  "screen",
  "library",
  "referrer",
];

/**
 * Creates messages of one source, with secrets in undeclared places and in declared ones. Most of the
 * messages are accepted by the plan.
 */
export function plantedMessages(plan: Plan, source: PlanSourceName, secrets: Secrets): Json[] {
  const events = plan.events.filter(({ sources }) => sources.includes(source));
  return [
    ...events.flatMap((event) => [
      ...undeclaredPlaces(event, secrets),
      ...declaredTexts(plan, event, source, secrets),
      ...ids(event, secrets),
      ...bareHashes(plan, event, source, secrets),
    ]),
    ...refused(events, secrets),
  ];
}

function exampleOf(event: PlanEvent): Json & { readonly properties: Json } {
  const { contact: _none, ...properties } = { contact: undefined, ...examplesOf(event.fields) };
  return { type: event.type, event: event.name, anonymousId: UUID, properties, context: {} };
}

/** Returns example values, without contacts, which are tested separately. */
function examplesOf(fields: Fields): Record<string, unknown> {
  const entries = Object.entries(fields).filter(([, { sensitivity }]) => sensitivity !== "contact");
  return Object.fromEntries(
    entries.map(([name, field]) => [
      name,
      field.type === "object" ? examplesOf(field.fields) : field.example,
    ]),
  );
}

function undeclaredPlaces(event: PlanEvent, secrets: Secrets): Json[] {
  const base = exampleOf(event);
  const at = (place: string, more: (secret: string) => object): Json[] =>
    secrets.allFor(`${event.name}: ${place}`).map((secret) => ({ ...base, ...more(secret) }));
  const objectsIn = Object.entries(event.fields).filter(([, { type }]) => type === "object");
  return [
    ...at("property", (secret) => ({
      properties: { ...base.properties, extra: secret, list: [secret, [secret]] },
    })),
    ...at("property name", (secret) => ({
      properties: { ...base.properties, [secret]: 1, deep: { [secret]: {} } },
    })),
    ...objectsIn.flatMap(([name]) =>
      at(`in ${name}`, (secret) => ({
        properties: {
          ...base.properties,
          [name]: { ...(base.properties[name] ?? {}), x: secret, [secret]: [secret] },
        },
      })),
    ),
    ...OBJECTS.flatMap((name) =>
      at(`context.${name}`, (secret) => ({
        context: { [name]: { a: secret, b: { c: [secret] }, [secret]: secret } },
      })),
    ),
    ...at("context", (secret) => ({
      context: { note: secret, [secret]: true, ip: secret, timezone: secret },
    })),
    ...at("top level", (secret) => ({
      note: secret,
      [secret]: secret,
      _metadata: { secret },
      channel: secret,
    })),
    ...at("traits", (secret) => ({ traits: { email: secret, [secret]: secret } })),
    ...at("category and name", (secret) => ({ category: secret, name: secret })),
    ...at("integrations", (secret) => ({ integrations: { All: true, [secret]: { key: secret } } })),
    ...at("times", (secret) => ({
      timestamp: secret,
      sentAt: secret,
      originalTimestamp: secret,
      receivedAt: secret,
    })),
    ...at("messageId", (secret) => ({ messageId: secret })),
  ];
}

type TextPlace = readonly (string | number)[];

function textsIn(fields: Fields, path: TextPlace = []): TextPlace[] {
  return Object.entries(fields).flatMap(([name, field]): TextPlace[] => {
    if (field.type === "object") return textsIn(field.fields, [...path, name]);
    if (field.type === "array" && field.items.type === "string") return [[...path, name, 0]];
    return field.type === "string" ? [[...path, name]] : [];
  });
}

function withText(base: unknown, [first, ...rest]: TextPlace, text: string): unknown {
  if (first === undefined) return text;
  if (typeof first === "number") return [text];
  const own: Json = typeof base === "object" && base !== null ? { ...base } : {};
  return { ...own, [first]: withText(own[first], rest, text) };
}

/**
 * Plants e-mail and IP addresses, in several spellings, in each declared text, alone and within other words.
 * Contacts are left out.
 */
function declaredTexts(plan: Plan, event: PlanEvent, source: PlanSourceName, secrets: Secrets): Json[] {
  const base = exampleOf(event);
  const context = plan.sources[source]?.context ?? {};
  const plain = Object.fromEntries(
    Object.entries(event.fields).filter(([, field]) => field.sensitivity !== "contact"),
  );
  return [{ properties: plain }, { context }].flatMap((roots) =>
    Object.entries(roots).flatMap(([root, fields]) =>
      textsIn(fields).flatMap((path) =>
        secrets
          .addressesFor(`${event.name}: ${root}.${path.join(".")}`)
          .flatMap((secret) => [secret, `see ${secret}, please`, `/x/${secret}`, `a${secret}`])
          .map((text) => ({ ...base, [root]: withText(base[root], path, text) })),
      ),
    ),
  );
}

function ids(event: PlanEvent, secrets: Secrets): Json[] {
  const base = exampleOf(event);
  return ID_NAMES.flatMap((id) =>
    secrets.allFor(`${event.name}: ${id}`).map((secret) => ({ ...base, [id]: secret })),
  );
}

/**
 * Plants a hash that was made without a key in each id and top-level field that the plan declares as a hash.
 */
function bareHashes(plan: Plan, event: PlanEvent, source: PlanSourceName, secrets: Secrets): Json[] {
  const base = exampleOf(event);
  const { context = {}, ids: declared = {} } = plan.sources[source] ?? {};
  const inFields = Object.entries({ properties: event.fields, context }).flatMap(([root, fields]) =>
    Object.entries(fields)
      .filter(([, field]) => field.type === "string" && field.hash)
      .map(([name]) => {
        const hash = secrets.bareHash(`${event.name}: hash in ${root}.${name}`);
        return { ...base, [root]: withText(base[root], [name], hash) };
      }),
  );
  const inIds = ID_NAMES.filter((id) => declared[id]?.type === "string" && declared[id].hash).map((id) => ({
    ...base,
    [id]: secrets.bareHash(`${event.name}: hash in ${id}`),
  }));
  return [...inFields, ...inIds];
}

/**
 * Creates messages that are dropped or mostly trimmed, because of undeclared names, other types, values that
 * should be objects but are not, ids that are too long or missing, or unknown write keys.
 */
function refused(events: readonly PlanEvent[], secrets: Secrets): Json[] {
  const [event] = events;
  const name = event?.name;
  const user = { anonymousId: UUID };
  return [
    ...secrets.allFor("event name").map((secret) => ({ ...user, type: "track", event: secret })),
    ...secrets.allFor("type").map((secret) => ({ ...user, type: secret, event: name })),
    ...(["page", "screen", "identify", "group", "alias"] as const).flatMap((type) =>
      secrets.allFor(type).map((secret) => ({
        ...user,
        type,
        name: secret,
        category: secret,
        groupId: secret,
        previousId: secret,
        traits: { email: secret },
        properties: { url: secret, [secret]: secret },
      })),
    ),
    ...secrets
      .allFor("no object")
      .map((secret) => ({ ...user, type: "track", event: name, properties: secret })),
    ...secrets
      .allFor("context no object")
      .map((secret) => ({ ...user, type: "track", event: name, context: secret })),
    ...secrets
      .allFor("long messageId")
      .map((secret) => ({ ...user, type: "track", event: name, messageId: secret.repeat(9) })),
    ...secrets.allFor("nobody").map((secret) => ({ type: "track", event: name, properties: { secret } })),
    ...secrets.allFor("key").map((secret) => ({ ...user, type: "track", event: name, writeKey: secret })),
  ];
}
