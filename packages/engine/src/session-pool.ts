/** Owns the pool of engine sessions, each with its settings and parameters. */
import type { Session } from "chdb";
import { QUERY_SETTINGS } from "./limits.ts";
import { quoteName, quoteString } from "./sql-tokens.ts";

/** What a query runs with; none of it affects the next query. */
export interface Scope {
  database: string | undefined;
  settings: Readonly<Record<string, string>>;
  /** `{name:Type}` parameters in ClickHouse's escaped text form, as received over HTTP. */
  params: Readonly<Record<string, string>>;
}

export interface SessionPool {
  /** Runs work on a session in this scope, exclusively. */
  use<T>(scope: Scope, work: (session: Session) => Promise<T>): Promise<T>;
  /** Like `use`, on a session that is closed afterwards: for statements that may leave traces in it, such as SET. */
  useOnce<T>(scope: Scope, work: (session: Session) => Promise<T>): Promise<T>;
}

/** A session, and what earlier queries have set in it. */
interface UsedSession {
  session: Session;
  database: string;
  settings: string[];
  params: string[];
}

const DEFAULT_DATABASE = "default";

/**
 * Sessions, each used by one query at a time: settings, parameters and the current database belong to a session, and
 * one session runs its queries one after another. Sessions are kept, because closing one waits for all native work of
 * the process: during a long read thousands would pile up, at a quarter of a megabyte each.
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
      // It may be between two scopes, and it keeps a failed query in system.processes until its next query.
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
 * A parameter can be overwritten but not removed, so a session fits only a query that sets all of its parameters.
 * Prefers the session with the most parameters, and leaves the clean ones to others.
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
 * The statements that move a session from its last scope into this one. A parameter set by SET is parsed like one
 * received over HTTP, as escaped text of its declared type, so the received text is passed on unchanged, only quoted.
 * (Not chdb's queryBindAsync: it escapes what is escaped already, and serialises all queries with parameters.)
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
