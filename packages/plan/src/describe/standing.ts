/** Describes what holds for every plan. */
import type { Plan } from "../plan.ts";
import { listContacts } from "./fields.ts";
import { type Block, type Line, type Section, type Table, toLine, toLink } from "./page.ts";
import type { SourceEntry } from "./sources.ts";
import { retentionInWords } from "./words.ts";

/** What holds for every plan: contacts, pseudonyms, Candor's own fields, deletion, countries. */
export function describeStanding(plan: Plan, sources: readonly SourceEntry[]): readonly Section[] {
  return [
    ...describeContacts(plan),
    toSection("pseudonyms", "Hashed values are pseudonyms", [{ kind: "text", line: PSEUDONYM_WORDS }]),
    toSection("candor", "What Candor adds", [
      { kind: "text", line: ["Beside what is declared above, a message that is kept holds these fields."] },
      OWN_FIELDS,
    ]),
    toSection("delete", "Seeing and deleting", describeDeletion(plan)),
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
    "Contact data is taken out of its event before that is written, and held in a table of its own. No id stands " +
    "beside it, its time is rounded to the day, and it is joined with nothing. It is deleted after ";
  const head = ["Field", "Given in", "What it says", "Kept beside it"];
  return [
    toSection("contacts", "Contact data", [
      { kind: "text", line: [`${apart}${retentionInWords(plan.contacts.retentionDays)}.`] },
      { kind: "table", caption: "Contact data", head, rows },
    ]),
  ];
}

const PSEUDONYM_WORDS: Line = [
  "Where this page says that a value is hashed, the hash is keyed (HMAC-SHA-256) with a secret. Without the secret " +
    "nobody can try out names and e-mail addresses until one fits. Yet the same value always gives the same hash, so " +
    "that events of one person or instance can be told to belong together. Such a value is a pseudonym: it does not " +
    "name a person, and it still stands for one. What a field says as a pseudonym is hashed twice: by the sender under " +
    "a secret that never leaves the instance, and by the collector under a secret of its own, because a collector " +
    "cannot tell whether a sender used a secret.",
];

const OWN_FIELDS: Table = {
  kind: "table",
  caption: "Fields of every message",
  head: ["Field", "What it says"],
  rows: [
    [
      [{ code: "type" }, ", ", { code: "event" }, ", ", { code: "name" }],
      ["Which of the events above it is."],
    ],
    [
      [{ code: "messageId" }],
      ["The message's own random id, by which one that was sent twice is counted once."],
    ],
    [[{ code: "receivedAt" }], ["When the collector received it."]],
    [[{ code: "timestamp" }], ["When it happened, corrected for a wrong clock of the sender."]],
    [
      [{ code: "originalTimestamp" }, ", ", { code: "sentAt" }],
      ["When it happened and when it was sent, by the sender's clock, where the sender says so."],
    ],
    [[{ code: "integrations" }], ["Part of the message's format; empty."]],
    [
      [{ code: "candor" }],
      [
        "The source, the plan's version, the country where it is looked up, and the declared fields that were removed.",
      ],
    ],
  ],
};

function describeDeletion(plan: Plan): readonly Block[] {
  const items: Line[] = [
    [
      "All that an instance or a user sent: ",
      { code: "candor forget --instance ID" },
      " or ",
      { code: "candor forget --user ID" },
      ".",
    ],
    [
      "A contact: ",
      { code: "candor forget --contact" },
      ", which reads the address from its standard input.",
    ],
  ];
  return [
    {
      kind: "text",
      line: [
        "Whoever runs the collector can see each event as it was kept, and deletes it with these commands:",
      ],
    },
    { kind: "list", ordered: false, items },
    {
      kind: "text",
      line: [
        "They remove events and all that was derived from them, wait until it is gone, and print a receipt that says " +
          "what was removed from where. To have something deleted, write to ",
        toLink(plan.contact),
        ".",
      ],
    },
  ];
}

function describeCountries(sources: readonly SourceEntry[]): readonly Section[] {
  if (sources.every(({ source }) => source.ip === "drop")) return [];
  const line: Line = [
    "The country of an IP address is looked up in a file on the collector's own machine; the address is sent to nobody. ",
    { link: "https://db-ip.com", text: "IP Geolocation by DB-IP" },
    ".",
  ];
  return [toSection("countries", "Countries", [{ kind: "text", line }])];
}
