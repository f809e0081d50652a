/**
 * Writes the public page's sections on contacts, pseudonyms, the fields that Candor adds, deletion and
 * countries.
 */
import type { Plan } from "../plan.ts";
import { listContacts } from "./fields.ts";
import { type Block, type Line, type Section, type Table, toLine, toLink } from "./page.ts";
import type { SourceEntry } from "./sources.ts";
import { retentionInWords } from "./words.ts";

export function describeFixedSections(plan: Plan, sources: readonly SourceEntry[]): readonly Section[] {
  return [
    ...describeContacts(plan),
    toSection("pseudonyms", "Hashed values are pseudonyms", [{ kind: "text", line: PSEUDONYM_WORDS }]),
    toSection("candor", "What Candor adds", [
      { kind: "text", line: ["Besides the data declared above, each stored message has these fields."] },
      OWN_FIELDS,
    ]),
    toSection("delete", "Seeing and deleting", describeDeletion(plan, sources)),
    ...describeCountries(sources),
  ];
}

export function toSection(id: string, title: string, blocks: readonly Block[]): Section {
  return { id, title, kind: "plain", badges: [], blocks, sections: [] };
}

function describeContacts(plan: Plan): readonly Section[] {
  const rows = plan.events.flatMap((event) =>
    listContacts(event).map(({ path, field }): Line[] => [
      [{ code: path }],
      [{ code: event.name ?? event.type }],
      toLine(field.description),
      field.keptWith.length === 0
        ? ["nothing"]
        : field.keptWith.flatMap((name, index) => [...(index > 0 ? [", "] : []), { code: name }]),
    ]),
  );
  if (rows.length === 0) return [];
  const apart =
    "Contact data is removed from its event before the event is written, and stored in a separate table. No id is stored " +
    "with it, its time is rounded to the day, and it is never joined with other data. It is deleted after ";
  const head = ["Field", "Given in", "Meaning", "Kept with it"];
  return [
    toSection("contacts", "Contact data", [
      { kind: "text", line: [`${apart}${retentionInWords(plan.contacts.retentionDays)}.`] },
      { kind: "table", of: "other", caption: "Contact data", head, rows },
    ]),
  ];
}

const PSEUDONYM_WORDS: Line = [
  "Where this page says that a value is hashed, the hash is keyed (HMAC-SHA-256) with a secret. Without the secret, nobody " +
    "can find the value by trying names and e-mail addresses. But the same value always gives the same hash, so that " +
    "events of one person or instance can be connected: such a value is a pseudonym. Fields marked as a pseudonym are " +
    "hashed twice: by the sender, with a secret that never leaves the instance, and by the collector, with a secret of its " +
    "own, because a collector cannot tell whether the sender used one.",
];

const OWN_FIELDS: Table = {
  kind: "table",
  of: "other",
  caption: "Fields of every message",
  head: ["Field", "Meaning"],
  rows: [
    [
      [{ code: "type" }, ", ", { code: "event" }, ", ", { code: "name" }],
      ["Which of the events above it is."],
    ],
    [[{ code: "messageId" }], ["The message's own random id, so that a message sent twice is counted once."]],
    [[{ code: "receivedAt" }], ["When the collector received it."]],
    [[{ code: "timestamp" }], ["When it happened, corrected for a wrong clock of the sender."]],
    [
      [{ code: "originalTimestamp" }, ", ", { code: "sentAt" }],
      ["When it happened and when it was sent, by the sender's clock, if the sender says so."],
    ],
    [[{ code: "integrations" }], ["Part of the message's format; empty."]],
    [
      [{ code: "candor" }],
      [
        "The source, the plan's version, the country if it is looked up, and the declared fields that were removed.",
      ],
    ],
  ],
};

function describeDeletion(plan: Plan, sources: readonly SourceEntry[]): readonly Block[] {
  const text = (...line: Line): Block => ({ kind: "text", line });
  const operators: readonly Block[] = [
    text(
      `If you run ${plan.product}, its telemetry page shows each message that was sent or waits, and turns telemetry off. ` +
        `In a terminal, with the folder (DIR) in which ${plan.product} keeps its telemetry:`,
    ),
    {
      kind: "list",
      ordered: false,
      items: [
        [
          { code: "npx @candor/node inspect DIR" },
          " shows the same, and what the collector did with each message.",
        ],
        [
          { code: "npx @candor/node compare DIR" },
          " asks the collector whether it stores exactly what your instance sent.",
        ],
        [
          { code: "npx @candor/node forget DIR" },
          " has the collector delete everything that your instance sent. It needs no account: the instance's own key signs.",
        ],
      ],
    },
  ];
  return [
    ...(sources.some(({ name }) => name === "server") ? operators : []),
    text(
      `If you use ${plan.product}, ask whoever runs it to do this, or write to `,
      toLink(plan.contact),
      ". An address that you gave as a contact is deleted by that address alone.",
    ),
    text(
      "A deletion removes the events and everything derived from them, waits until they are gone, and returns a receipt " +
        "that says how much was removed from where.",
    ),
  ];
}

function describeCountries(sources: readonly SourceEntry[]): readonly Section[] {
  if (sources.every(({ source }) => source.ip === "drop")) return [];
  const line: Line = [
    "The country of an IP address is looked up in a file on the collector's own machine; the address is not sent to anybody. ",
    { link: "https://db-ip.com", text: "IP Geolocation by DB-IP" },
    ".",
  ];
  return [toSection("countries", "Countries", [{ kind: "text", line }])];
}
