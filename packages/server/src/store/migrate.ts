/** Brings the store's schema up to date. */
import { createHash } from "node:crypto";
import { readdirSync } from "node:fs";
import { CandorError } from "../errors.ts";
import { readSql, type Store } from "./client.ts";

const FILE = /^(\d{4})_(\w+)\.sql$/;

export interface Migration {
  readonly version: number;
  readonly name: string;
  readonly sql: string;
}

/** Lists the migrations of this version of Candor, `sql/migrations/NNNN_name.sql`, in order. */
export function listMigrations(): Migration[] {
  const files = readdirSync(new URL("../../sql/migrations/", import.meta.url)).sort();
  return files.flatMap((file) => {
    const [, version, name] = FILE.exec(file) ?? [];
    return version === undefined || name === undefined
      ? []
      : [{ version: Number(version), name, sql: readSql(`migrations/${file}`) }];
  });
}

/**
 * Brings the store's schema up to this version. Statements are idempotent, so a crash after a statement was
 * run, but before the migration was recorded, does no harm.
 * @throws CandorError `schema_newer`, `schema_changed`; and the client's errors while the store is
 * unreachable
 */
export async function migrate(
  store: Store,
  migrations: readonly Migration[] = listMigrations(),
): Promise<void> {
  const { local, spanning } = store.databases;
  for (const database of store.cluster === undefined ? [local] : [local, spanning]) {
    await store.command(`CREATE DATABASE IF NOT EXISTS ${database}`, "default");
  }
  await store.command(
    "CREATE TABLE IF NOT EXISTS schema_migrations (version UInt32, name String, checksum String, appliedAt DateTime DEFAULT now()) " +
      "ENGINE = MergeTree ORDER BY version SETTINGS fsync_after_insert = 1, fsync_part_directory = 1",
  );
  const applied = await store.query(
    `SELECT version, checksum FROM ${local}.schema_migrations ORDER BY version`,
  );
  const checksums = new Map(applied.map((row) => [Number(row.version), String(row.checksum)]));
  const known = Math.max(0, ...migrations.map(({ version }) => version));
  const found = Math.max(0, ...checksums.keys());
  if (found > known) throw new CandorError("schema_newer", { found, known });
  for (const migration of migrations) await apply(store, migration, checksums.get(migration.version));
  if (store.cluster !== undefined) await spanCluster(store, store.cluster);
}

async function apply(
  store: Store,
  { version, name, sql }: Migration,
  applied: string | undefined,
): Promise<void> {
  const checksum = createHash("sha256").update(sql).digest("hex");
  if (applied === checksum) return;
  if (applied !== undefined) throw new CandorError("schema_changed", { name: `${version} ${name}` });
  for (const statement of statementsOf(sql)) await store.command(statement);
  await store.command(
    `INSERT INTO schema_migrations (version, name, checksum) VALUES (${version}, '${name}', '${checksum}')`,
  );
}

async function spanCluster(store: Store, cluster: string): Promise<void> {
  const names: Readonly<Record<string, string>> = {
    all: store.databases.spanning,
    local: store.databases.local,
    cluster,
  };
  const sql = readSql("cluster.sql").replace(/\{(\w+)\}/g, (slot, name: string) => names[name] ?? slot);
  for (const statement of statementsOf(sql)) await store.command(statement);
}

/** Splits a file into statements, each of which ends with ";" at the end of a line. */
function statementsOf(sql: string): string[] {
  return sql
    .split(/;\s*$/m)
    .map((statement) => statement.replace(/^\s*--.*$/gm, "").trim())
    .filter((statement) => statement !== "");
}
