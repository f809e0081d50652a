/** For tests: defines scenarios of an install, and runs them. */
import { readConsentRecords } from "@candor/consent";
import { describe, expect, it } from "vitest";
import { type Installation, type Outcome, prepareInstallation, type Sender } from "./installation.ts";
import { closedUrl, type Manner, openRecorder, type Recorded } from "./recorder.ts";
import { SHELLS, type Shell } from "./shells.ts";
import { hashOf, TABLE_NAMES, type TableName } from "./tables.ts";

/**
 * One scenario: a machine, a script that runs on it, and the expected results. Omitted fields have the
 * defaults of `Machine`.
 */
export interface Scenario {
  readonly name: string;
  readonly script: string;
  readonly table?: TableName;
  readonly sender?: Sender;
  /** How the collector answers. `closed`: nothing listens on its port. Default: with status 200. */
  readonly collector?: Exclude<Manner, "waits"> | "closed";
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** The longest time that the install may take, in seconds. */
  readonly atMostS?: number;
  readonly expect: Expected;
  /** Expected results that replace those of `expect` in shells with a matching name; see `SHELLS`. */
  readonly expectIn?: readonly [shells: RegExp, Expected];
}

/** The expected results. Most fields that are omitted default to an empty value or 0. */
interface Expected {
  readonly status?: number | string;
  readonly stdout?: string;
  readonly stderr?: string;
  /** The events that were sent, in any order. `again`: whether the event was resent; default: false. */
  readonly sent?: readonly { event: string; properties: object; again?: boolean }[];
  /** The number of different `anonymousId`s with which the events were sent. Not checked if omitted. */
  readonly identities?: number;
  /**
   * The context that every message must have. Default: the library's name and version. `none`: no context.
   * Set it if the plan declares less than the kit could send.
   */
  readonly context?: object | "none";
  /** The events that are waiting in the outbox, sorted. `torn` stands for a line without a line break. */
  readonly waiting?: readonly string[];
  /**
   * The consent records in receipts.ndjson, as `<source> <answer> <plan version>`. Undefined: the file must
   * not exist.
   */
  readonly receipts?: readonly string[] | undefined;
  /** The text of docker.env. Default: empty. Undefined: the file must not exist. */
  readonly dockerEnv?: string | undefined;
  /** The text of other files, by path below the folder. Undefined: the file must not exist. */
  readonly others?: Readonly<Record<string, string | undefined>>;
}

const ID = /^[0-9a-f]{32}$/;
const TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Runs each scenario in each shell. */
export function runScenarios(scenarios: readonly Scenario[]): void {
  for (const shell of SHELLS) {
    describe(`in ${shell.name}`, { tags: shell.tags }, () => {
      for (const scenario of scenarios) {
        const { sender = "curl" } = scenario;
        const tags = sender === "none" ? [] : [sender];
        it.concurrent(scenario.name, { tags }, () => runScenario(scenario, shell));
      }
    });
  }
}

async function runScenario(scenario: Scenario, shell: Shell): Promise<void> {
  const recorder =
    scenario.collector === "closed" ? undefined : await openRecorder(scenario.collector ?? 200);
  const url = recorder?.url ?? (await closedUrl());
  const installation = prepareInstallation({ ...scenario, shell, url });
  try {
    const startedMs = performance.now();
    const outcome = await installation.run();
    const tookS = (performance.now() - startedMs) / 1000;
    if (scenario.atMostS !== undefined) expect(tookS).toBeLessThan(scenario.atMostS);
    await installation.rest();
    const expected = fill(scenario, shell);
    const others = Object.keys(expected.others ?? {});
    const { identities, context = LIBRARY, ...rest } = expected;
    expect(contextsOf(recorder?.requests ?? [])).toEqual(rest.sent?.length === 0 ? [] : [context]);
    if (identities !== undefined) expect(countIdentities(recorder?.requests ?? [])).toBe(identities);
    expect(observe(installation, outcome, recorder?.requests ?? [], others)).toEqual(rest);
  } finally {
    await recorder?.close();
    installation.remove();
  }
}

function fill({ expect: usual, expectIn }: Scenario, { name }: Shell): Expected {
  const expected = expectIn?.[0].test(name) ? { ...usual, ...expectIn[1] } : usual;
  return {
    status: expected.status ?? 0,
    stdout: expected.stdout ?? "",
    stderr: expected.stderr ?? "",
    sent: sort((expected.sent ?? []).map((sent) => ({ again: false, ...sent }))),
    ...(expected.identities === undefined ? {} : { identities: expected.identities }),
    ...(expected.context === undefined ? {} : { context: expected.context }),
    waiting: expected.waiting ?? [],
    receipts: expected.receipts,
    dockerEnv: "dockerEnv" in expected ? expected.dockerEnv : "",
    others: expected.others ?? {},
  };
}

function observe(
  installation: Installation,
  outcome: Outcome,
  requests: readonly Recorded[],
  others: readonly string[],
): Expected {
  const clean = (text: string) =>
    text
      .replaceAll(installation.folder, "FOLDER")
      .replaceAll(/"[0-9a-f]{32}"/g, '"ID"')
      .replaceAll(/"20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ"/g, '"TIME"');
  return {
    status: outcome.status,
    stdout: outcome.stdout,
    stderr: clean(outcome.stderr),
    sent: sort(requests.flatMap(readSent)),
    waiting: listWaiting(installation),
    receipts: listReceipts(installation.read("opt/telemetry/receipts.ndjson")),
    dockerEnv: installation.read("opt/docker.env"),
    others: Object.fromEntries(others.map((name) => [name, installation.read(name)])),
  };
}

type Sent = NonNullable<Expected["sent"]>[number];

/**
 * Checks that a request has the form that the kit writes; `contextsOf` reads the contexts. Returns the
 * request's events, and whether they were resent.
 */
function readSent({ path, retryCount, contentType, body }: Recorded): Sent[] {
  expect({ path, contentType }).toEqual({ path: "POST /v1/batch", contentType: "application/json" });
  const text = body.toString("latin1");
  const { batch, sentAt }: { batch: Record<string, unknown>[]; sentAt: string } = JSON.parse(text);
  expect(sentAt).toMatch(TIME);
  expect(text).toMatch(/^[ -~]*$/);
  expect(text).toBe(JSON.stringify({ batch, sentAt }));
  return batch.map((message) => {
    const { anonymousId, messageId, timestamp, event, properties, context: _, ...rest } = message;
    expect(anonymousId).toMatch(ID);
    expect(messageId).toMatch(ID);
    expect(timestamp).toMatch(TIME);
    expect(rest).toEqual({
      type: "track",
      integrations: {},
      writeKey: expect.stringMatching(/^(key_"1"|old)$/),
    });
    return { again: retryCount === "1", event: String(event), properties: Object(properties) };
  });
}

const LIBRARY = { library: { name: "candor-installer", version: "0.1.0" } };

/** Returns the distinct contexts of the messages; `none` stands for a missing one. */
function contextsOf(requests: readonly Recorded[]): unknown[] {
  const messages = requests.flatMap(({ body }) => Object(JSON.parse(body.toString("latin1"))).batch);
  return [...new Set(messages.map(({ context }) => JSON.stringify(context ?? "none")))].map((text) =>
    JSON.parse(text),
  );
}

function countIdentities(requests: readonly Recorded[]): number {
  const messages = requests.flatMap(({ body }) => Object(JSON.parse(body.toString("latin1"))).batch);
  return new Set(messages.map(({ anonymousId }) => anonymousId)).size;
}

/**
 * Returns the events of the lines in the outbox that no `.sent` file marks as sent, and `torn` for an
 * incomplete line.
 */
function listWaiting(installation: Installation): string[] {
  const outbox = "opt/telemetry/outbox";
  return installation
    .list(outbox)
    .filter((name) => name.endsWith(".ndjson"))
    .flatMap((name) => {
      const sent = Number(installation.read(`${outbox}/${name.replace(/ndjson$/, "sent")}`) ?? 0);
      const lines = (installation.read(`${outbox}/${name}`) ?? "").slice(sent).split("\n");
      const torn = lines.pop() === "" ? [] : ["torn"];
      return [...lines.map((line) => String(Object(JSON.parse(line)).event)), ...torn];
    })
    .sort(compare);
}

/**
 * Reads the consent records as the server's SDK does. Undefined without a file; empty if any line cannot be
 * read.
 */
function listReceipts(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  return (readConsentRecords(text) ?? []).map(({ source, answer, time, planVersion, planHash, by }) => {
    expect({ time, by }).toEqual({ time: expect.stringMatching(TIME), by: "installer" });
    expect(TABLE_NAMES.map(hashOf)).toContain(planHash);
    return `${source} ${answer} ${planVersion}`;
  });
}

/** Sorts the events, because they are sent in the background in any order. */
function sort(sent: Sent[]): Sent[] {
  const keyOf = ({ event, properties, again }: Sent) =>
    JSON.stringify([event, Object.entries(properties).sort(), again]);
  return sent.sort((a, b) => compare(keyOf(a), keyOf(b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
