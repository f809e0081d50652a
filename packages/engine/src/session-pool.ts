/** Creates a pool of engine sessions, each with its own database, settings and parameters. */
import type { Session } from "chdb";
import { QUERY_SETTINGS } from "./limits.ts";
import { quoteName, quoteString } from "./sql-tokens.ts";

/** The database, settings and parameters of a query. None of them affects the next query. */
export interface Scope {
  database: string | undefined;
  settings: Readonly<Record<string, string>>;
  /** `{name:Type}` parameters in ClickHouse's escaped text form, as received over HTTP. */
  params: Readonly<Record<string, string>>;
}

export interface SessionPool {
  /** Runs `work` exclusively on a session in this scope. */
  use<T>(scope: Scope, work: (session: Session) => Promise<T>): Promise<T>;
  /**
   * Like `use`, but on a session that is closed afterwards, for statements that may change the session, such
   * as SET.
   */
  useOnce<T>(scope: Scope, work: (session: Session) => Promise<T>): Promise<T>;
}

/** A session, and the values that earlier queries have set in it. */
interface UsedSession {
  session: Session;
  database: string;
  settings: string[];
  params: string[];
}

const DEFAULT_DATABASE = "default";

/**
 * Creates a pool of sessions, each of which is used by one query at a time: settings, parameters and the
 * current database belong to a session, and a session runs its queries one after another. Sessions are kept
 * for reuse, because closing one waits for all native work of the process. During a long read, thousands of
 * closing sessions would accumulate, at a quarter of a megabyte each.
 */
export function createSessionPool(open: () => Session, maxIdle: number): SessionPool {
  let idle: UsedSession[] = [];
  const fresh = (): UsedSession => ({
    session: open(),
    database: DEFAULT_DATABASE,
    settings: [],
    params: [],
  });

  const take = (scope: Scope): UsedSession => {
    const fit = fittest(idle, scope);
    if (fit === undefined) return fresh();
    idle = idle.filter((used) => used !== fit);
    return fit;
  };
  const putBack = (used: UsedSession) => {
    idle.push(used);
    if (idle.length > maxIdle) idle.shift()?.session.close();
  };
  const run = async <T>(
    used: UsedSession,
    scope: Scope,
    work: (session: Session) => Promise<T>,
  ): Promise<T> => {
    try {
      for (const statement of enterScope(used, scope)) await used.session.queryAsync(statement);
      return await work(used.session);
    } catch (error) {
      // Not reused: the session may have entered only part of the scope, and a failed query stays in
      // system.processes until the session's next query.
      used.session.close();
      throw error;
    }
  };

  return {
    async use(scope, work) {
      const used = take(scope);
      const result = await run(used, scope, work);
      putBack(used);
      return result;
    },
    async useOnce(scope, work) {
      const used = fresh();
      const result = await run(used, scope, work);
      used.session.close();
      return result;
    },
  };
}

/**
 * Chooses an idle session for a scope. A parameter can be overwritten but not removed, so a session fits only
 * a query that sets all of the session's parameters. Prefers the session with the most parameters, so that
 * sessions without parameters remain available for other queries. Returns undefined if no session fits.
 */
function fittest(idle: readonly UsedSession[], scope: Scope): UsedSession | undefined {
  return idle
    .filter((used) => used.params.every((name) => Object.hasOwn(scope.params, name)))
    .reduce<UsedSession | undefined>(
      (best, used) => (best === undefined || used.params.length >= best.params.length ? used : best),
      undefined,
    );
}

/**
 * Returns the statements that move a session from its last scope into this one, and records the new scope in
 * `used`. SET parses a parameter in the same way as the HTTP interface does, as escaped text of its declared
 * type. So the received text is only quoted and not changed. (chdb's queryBindAsync is not used: it would
 * escape text that is already escaped, and it serialises all queries with parameters.)
 */
function enterScope(used: UsedSession, scope: Scope): string[] {
  const database = scope.database ?? DEFAULT_DATABASE;
  const use = database === used.database ? [] : [`USE ${quoteName(database)}`];
  used.database = database;

  const settings: Record<string, string> = { ...QUERY_SETTINGS, ...scope.settings };
  const resets = used.settings
    .filter((name) => !Object.hasOwn(settings, name))
    .map((name) => `${name} = DEFAULT`);
  used.settings = Object.keys(settings);
  const sets = [`SET ${[...resets, ...assignments(settings, "")].join(", ")}`];

  used.params = Object.keys(scope.params);
  const binds = used.params.length === 0 ? [] : [`SET ${assignments(scope.params, "param_").join(", ")}`];
  return [...use, ...sets, ...binds];
}

function assignments(values: Readonly<Record<string, string>>, prefix: string): string[] {
  return Object.entries(values).map(([name, value]) => `${prefix}${name} = ${quoteString(value)}`);
}
