/** For tests: runs the whole collector in this process. */
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { readConfig } from "../config.ts";
import { type Candor, type StartOptions, startCandor } from "../main.ts";

/**
 * For tests: the whole collector in this process, on a free port, with its own data folder and a plan in
 * observe mode, unless the settings say otherwise.
 */
export interface TestCandor extends Candor {
  readonly dataDir: string;
  /** Lines reported to the operator. */
  readonly reports: string[];
  /** Sends a POST request, with the server's write key unless the headers say otherwise. */
  post(path: string, body: unknown, headers?: Record<string, string>): Promise<Response>;
  /** Reads JSON from the API with the admin token. */
  read(path: string): Promise<Answer>;
}

/** The fields of the collector's JSON answers that tests read. */
export interface Answer {
  readonly success?: boolean;
  readonly code?: string;
  readonly message?: string;
  readonly error?: string;
  readonly accepted?: number;
  readonly dropped?: readonly {
    readonly index: number;
    readonly messageId: string | null;
    readonly reason: string;
  }[];
  readonly count?: number;
  readonly events?: ({ readonly messageId: string } & Readonly<Record<string, unknown>>)[];
  readonly next?: string | null;
  readonly paths?: object;
  readonly fault?: string;
  readonly trimmed?: readonly object[];
  readonly refused?: readonly object[];
}

export async function answerOf(response: Response): Promise<Answer> {
  const answer: Answer = JSON.parse(await response.text());
  return answer;
}

export const WRITE_KEYS = { installer: "key-i", server: "key-s", client: "key-c" } as const;

export function basic(key: string): string {
  return `Basic ${Buffer.from(`${key}:`).toString("base64")}`;
}

/** Settings without a store: nothing listens on port 1, so messages are accepted and wait in the log. */
export const NO_STORE = { CANDOR_CLICKHOUSE_URL: "http://127.0.0.1:1" };

/** A plan that keeps undeclared data, for tests that are not about the plan. */
export const OBSERVE_PLAN = fileURLToPath(new URL("../../fixtures/plans/observe.yaml", import.meta.url));
/** The plan of the reference product, which is used at startup if none is set. */
export const APPSMITH_PLAN = fileURLToPath(new URL("../../../../plans/appsmith.yaml", import.meta.url));

export async function startForTest(
  environment: Record<string, string> = {},
  options: StartOptions = {},
): Promise<TestCandor> {
  const dataDir = environment.CANDOR_DATA_DIR ?? mkdtempSync(join(tmpdir(), "candor-test-"));
  const reports: string[] = [];
  const config = readConfig({
    CANDOR_PORT: "0",
    CANDOR_DATA_DIR: dataDir,
    CANDOR_PLAN: OBSERVE_PLAN,
    CANDOR_WRITE_KEYS: Object.entries(WRITE_KEYS)
      .map((pair) => pair.join(":"))
      .join(","),
    CANDOR_ADMIN_TOKEN: "token-a",
    ...environment,
  });
  // No drain can reach a store that does not exist, so `close` does not wait for one.
  const drainDeadlineMs = environment.CANDOR_CLICKHOUSE_URL === NO_STORE.CANDOR_CLICKHOUSE_URL ? 0 : 3000;
  const report = (line: string): void => void reports.push(line);
  const candor = await startCandor(config, { report, drainDeadlineMs, ...options });
  return {
    ...candor,
    dataDir,
    reports,
    post: (path, body, headers = {}) =>
      fetch(candor.url + path, {
        method: "POST",
        headers: { authorization: basic(WRITE_KEYS.server), ...headers },
        body:
          typeof body === "string" || body instanceof Uint8Array
            ? new Uint8Array(Buffer.from(body))
            : JSON.stringify(body),
      }),
    read: async (path) => {
      const ask = () => fetch(candor.url + path, { headers: { authorization: "Bearer token-a" } });
      // On a busy machine the engine may still be starting or may be slow. Retry, as a 503 tells clients to
      // do.
      const response = await eventually(ask, ({ status }) => status !== 503);
      if (response.status !== 200) throw new Error(`${path}: ${await response.text()} ${reports.join("\n")}`);
      return answerOf(response);
    },
    close: async () => {
      await candor.close();
      if (environment.CANDOR_DATA_DIR === undefined) rmSync(dataDir, { recursive: true });
    },
  };
}

/**
 * Reads repeatedly until `isAsWished` accepts the value, because rows reach the store shortly after their
 * request was answered. Returns the last value if half a minute has passed.
 */
export async function eventually<Value>(
  read: () => Promise<Value>,
  isAsWished: (value: Value) => boolean,
): Promise<Value> {
  const until = Date.now() + 30_000;
  for (;;) {
    const value = await read();
    if (isAsWished(value) || Date.now() > until) return value;
    await new Promise((resolve) => setTimeout(resolve, 50));
  }
}
