/** Stores the product's own data in PostgreSQL: people, applications, pages, datasources and actions. */
import { randomBytes, scrypt, timingSafeEqual } from "node:crypto";
import { promisify } from "node:util";
import pg from "pg";
import { isPluginId, type Named, PLUGINS, type PluginId, type RunnableAction } from "./plugins.ts";

const derive = promisify<string, Buffer, number, Buffer>(scrypt);
const HEALTHY_WITHIN_MS = 2000;

const TABLES = `
  CREATE TABLE IF NOT EXISTS people (email text PRIMARY KEY, salt bytea NOT NULL, hash bytea NOT NULL, is_admin boolean NOT NULL);
  CREATE TABLE IF NOT EXISTS applications (id text PRIMARY KEY, name text NOT NULL);
  CREATE TABLE IF NOT EXISTS pages (id text PRIMARY KEY, application text NOT NULL REFERENCES applications, name text NOT NULL);
  CREATE TABLE IF NOT EXISTS datasources (id text PRIMARY KEY, application text NOT NULL REFERENCES applications, name text NOT NULL, plugin text NOT NULL, url text NOT NULL);
  CREATE TABLE IF NOT EXISTS actions (id text PRIMARY KEY, page text NOT NULL REFERENCES pages, datasource text NOT NULL REFERENCES datasources, name text NOT NULL, body text NOT NULL);
`;

export type Database = ReturnType<typeof openDatabase>;

/** Opens the database, which connects when it is first used. @param url a PostgreSQL connection string */
export function openDatabase(url: string) {
  const pool = new pg.Pool({ connectionString: url, max: 5, connectionTimeoutMillis: HEALTHY_WITHIN_MS });
  pool.on("error", () => {}); // an idle connection broke: the next query opens another
  let tables: Promise<unknown> | undefined;
  const query = async <Row extends pg.QueryResultRow>(
    text: string,
    values: unknown[] = [],
  ): Promise<Row[]> => {
    tables ??= pool.query(TABLES);
    await tables.catch((error) => {
      tables = undefined;
      throw error;
    });
    return (await pool.query<Row>(text, values)).rows;
  };
  const insert = async (table: string, values: Readonly<Record<string, unknown>>): Promise<string> => {
    const id = randomBytes(12).toString("hex");
    const columns = ["id", ...Object.keys(values)];
    const places = columns.map((_, index) => `$${index + 1}`);
    await query(`INSERT INTO ${table} (${columns}) VALUES (${places})`, [id, ...Object.values(values)]);
    return id;
  };
  return {
    isHealthy: async (): Promise<boolean> => {
      const late = new Promise<false>((resolve) => setTimeout(resolve, HEALTHY_WITHIN_MS, false).unref());
      return Promise.race([
        query("SELECT 1").then(
          () => true,
          () => false,
        ),
        late,
      ]);
    },
    /** Adds a person. The first one becomes the admin. @returns false if the e-mail address is taken */
    addPerson: async (email: string, password: string): Promise<boolean> => {
      const salt = randomBytes(16);
      const rows = await query(
        "INSERT INTO people SELECT $1, $2, $3, NOT EXISTS (SELECT FROM people) ON CONFLICT DO NOTHING RETURNING email",
        [email, salt, await derive(password, salt, 32)],
      );
      return rows.length > 0;
    },
    /** Finds a person. @returns undefined if the e-mail address is unknown or the password is wrong */
    findPerson: async (
      email: string,
      password: string,
    ): Promise<{ email: string; isAdmin: boolean } | undefined> => {
      const [row] = await query<{ salt: Buffer; hash: Buffer; is_admin: boolean }>(
        "SELECT * FROM people WHERE email = $1",
        [email],
      );
      if (row === undefined || !timingSafeEqual(row.hash, await derive(password, row.salt, 32)))
        return undefined;
      return { email, isAdmin: row.is_admin };
    },
    applications: () =>
      query<Named & { page: string }>(
        "SELECT a.id, a.name, min(p.id) AS page FROM applications a JOIN pages p ON p.application = a.id GROUP BY a.id ORDER BY a.name",
      ),
    addApplication: async (name: string) => {
      const id = await insert("applications", { name });
      return { id, name, page: await insert("pages", { application: id, name: "Page1" }) };
    },
    actionsOf: (page: string) =>
      query<Named>("SELECT id, name FROM actions WHERE page = $1 ORDER BY name", [page]),
    addDatasource: (application: string, name: string, plugin: PluginId, url: string) =>
      insert("datasources", { application, name, plugin, url }),
    addAction: (page: string, datasource: string, name: string, body: string) =>
      insert("actions", { page, datasource, name, body }),
    findAction: async (id: string): Promise<RunnableAction | undefined> => {
      const [row] = await query<Record<string, string>>(
        `SELECT a.id, a.name, a.body, p.id AS page, p.name AS page_name, app.id AS app, app.name AS app_name,
           d.id AS datasource, d.name AS datasource_name, d.plugin, d.url
         FROM actions a JOIN pages p ON p.id = a.page JOIN applications app ON app.id = p.application
           JOIN datasources d ON d.id = a.datasource WHERE a.id = $1`,
        [id],
      );
      const { plugin } = row ?? {};
      if (row === undefined || !isPluginId(plugin)) return undefined;
      const text = (column: string): string => row[column] ?? "";
      return {
        app: { id: text("app"), name: text("app_name") },
        page: { id: text("page"), name: text("page_name") },
        datasource: { id: text("datasource"), name: text("datasource_name"), plugin, url: text("url") },
        action: { id, name: text("name"), body: text("body") },
        plugin: PLUGINS[plugin],
      };
    },
    close: () => pool.end(),
  };
}
