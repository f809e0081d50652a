/** For tests: what a scenario of an install is made of. */
import { readConsentRecords } from "@candor/consent";
import { describe, expect, it } from "vitest";
import { type Installation, type Outcome, prepareInstallation, type Sender } from "./installation.ts";
import { closedUrl, type Manner, openRecorder, type Recorded } from "./recorder.ts";
import { SHELLS, type Shell } from "./shells.ts";
import { hashOf, TABLE_NAMES, type TableName } from "./tables.ts";

/** One row: a machine, a script on it, and all that comes of it. What is left out is the usual. */
export interface Scenario {
  readonly name: string;
  readonly script: string;
  readonly table?: TableName;
  readonly sender?: Sender;
  /** What the collector answers; `closed`: nobody listens. */
  readonly collector?: Exclude<Manner, "waits"> | "closed";
  readonly environment?: Readonly<Record<string, string>>;
  readonly files?: Readonly<Record<string, string>>;
  /** How long the install may take. */
  readonly atMostS?: number;
  readonly expect: Expected;
  /** What else comes of it in shells of these names; see `SHELLS`. */
  readonly expectIn?: readonly [shells: RegExp, Expected];
}

/** What is left out is empty, or 0. */
interface Expected {
  readonly status?: number | string;
  readonly stdout?: string;
  readonly stderr?: string;
  /** By name of the event; `again`: as a resend. */
  readonly sent?: readonly { event: string; properties: object; again?: boolean }[];
  /** How many identities they were sent under; as a rule not looked at. */
  readonly identities?: number;
  /** Their context, if the plan does not declare all that the kit could put there. */
  readonly context?: object | "none";
  /** What waits in the outbox. */
  readonly waiting?: readonly string[];
  /** Of receipts.ndjson: source, answer, plan version. Undefined: no such file. */
  readonly receipts?: readonly string[] | undefined;
  /** Undefined: no such file. */
  readonly dockerEnv?: string | undefined;
  /** Text of other files, by path below the folder. */
  readonly others?: Readonly<Record<string, string | undefined>>;
}

const ID = /^[0-9a-f]{32}$/;
const TIME = /^20\d\d-\d\d-\d\dT\d\d:\d\d:\d\dZ$/;

/** Runs each row in each shell. */
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

/** Checks every byte of a request, and gives what differs from one to the next. */
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

/** The different contexts that messages were sent with. */
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

/** The events of lines that no `.sent` file tells of. */
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

/** Read as the server's SDK reads them: what it cannot read denies. */
function listReceipts(text: string | undefined): string[] | undefined {
  if (text === undefined) return undefined;
  return (readConsentRecords(text) ?? []).map(({ source, answer, time, planVersion, planHash, by }) => {
    expect({ time, by }).toEqual({ time: expect.stringMatching(TIME), by: "installer" });
    expect(TABLE_NAMES.map(hashOf)).toContain(planHash);
    return `${source} ${answer} ${planVersion}`;
  });
}

/** Events leave in the background, in no order. */
function sort(sent: Sent[]): Sent[] {
  const keyOf = ({ event, properties, again }: Sent) =>
    JSON.stringify([event, Object.entries(properties).sort(), again]);
  return sent.sort((a, b) => compare(keyOf(a), keyOf(b)));
}

function compare(a: string, b: string): number {
  return a < b ? -1 : a > b ? 1 : 0;
}
