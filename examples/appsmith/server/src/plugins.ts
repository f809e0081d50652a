/** Runs actions through the two plugins: PostgreSQL and REST API. */
import pg from "pg";

export interface Named {
  readonly id: string;
  readonly name: string;
}

export interface Datasource extends Named {
  readonly plugin: PluginId;
  /** A connection string, or the URL to which an action's path is appended. */
  readonly url: string;
}

export interface RunnableAction {
  readonly app: Named;
  readonly page: Named;
  readonly datasource: Datasource;
  /** `body`: a SQL statement or a path, in which `$1`, `$2` and so on stand for the parameters. */
  readonly action: Named & { readonly body: string };
  readonly plugin: Plugin;
}

export interface Execution {
  readonly isSuccess: boolean;
  /** The HTTP status or the SQLSTATE; empty if there is none. */
  readonly statusCode: string;
  /** Whole milliseconds. */
  readonly elapsedMs: number;
  /** Rows, the answer's text, or the error message. For the person only, never for telemetry. */
  readonly body: unknown;
}

type Outcome = Omit<Execution, "elapsedMs">;

interface Plugin {
  readonly name: string;
  readonly type: "DB" | "API";
  readonly run: (url: string, body: string, parameters: readonly unknown[]) => Promise<Outcome>;
}

const TIMEOUT_MS = 10_000;

export const PLUGINS = {
  postgres: { name: "PostgreSQL", type: "DB", run: runQuery },
  rest: { name: "REST API", type: "API", run: runRequest },
} satisfies Record<string, Plugin>;

export type PluginId = keyof typeof PLUGINS;

export const isPluginId = (id: unknown): id is PluginId =>
  typeof id === "string" && Object.hasOwn(PLUGINS, id);

/** Runs an action. Never rejects: a failure is an outcome. */
export async function execute(
  { datasource, action, plugin }: RunnableAction,
  parameters: readonly unknown[],
): Promise<Execution> {
  const startedAtMs = performance.now();
  const outcome = await plugin.run(datasource.url, action.body, parameters);
  return { ...outcome, elapsedMs: Math.round(performance.now() - startedAtMs) };
}

async function runQuery(url: string, statement: string, parameters: readonly unknown[]): Promise<Outcome> {
  const client = new pg.Client({
    connectionString: url,
    statement_timeout: TIMEOUT_MS,
    connectionTimeoutMillis: TIMEOUT_MS,
  });
  client.on("error", () => {}); // the connection broke after the answer
  try {
    await client.connect();
    const { rows } = await client.query(statement, [...parameters]);
    return { isSuccess: true, statusCode: "", body: rows };
  } catch (error) {
    const code = error instanceof pg.DatabaseError ? error.code : undefined;
    return { isSuccess: false, statusCode: code ?? "", body: String(error) };
  } finally {
    await client.end().catch(() => {});
  }
}

async function runRequest(url: string, path: string, parameters: readonly unknown[]): Promise<Outcome> {
  try {
    const filled = path.replaceAll(/\$(\d)/g, (_, index) =>
      encodeURIComponent(String(parameters[Number(index) - 1] ?? "")),
    );
    const response = await fetch(url + filled, { signal: AbortSignal.timeout(TIMEOUT_MS) });
    return { isSuccess: response.ok, statusCode: String(response.status), body: await response.text() };
  } catch (error) {
    return { isSuccess: false, statusCode: "", body: String(error) };
  }
}
