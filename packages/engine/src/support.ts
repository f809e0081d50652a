/** Determines whether the embedded engine can run on this machine. */
import { createRequire } from "node:module";

export type EngineSupport = { supported: true } | { supported: false; platform: string; why: string };

export interface Machine {
  platform: string;
  arch: string;
  /** glibc's version; undefined on musl and on platforms other than Linux. */
  glibc: string | undefined;
  /** Whether the package with the library for this platform is installed. */
  libraryFound: boolean;
}

const BUILDS = new Set(["linux-x64", "linux-arm64", "darwin-x64", "darwin-arm64"]);
const INSTEAD = "set CANDOR_CLICKHOUSE_URL to a ClickHouse server instead";

/** Determines whether the engine can run on a machine. Has no side effects. */
export function checkSupport(machine: Machine): EngineSupport {
  const build = `${machine.platform}-${machine.arch}`;
  const musl = machine.platform === "linux" && machine.glibc === undefined;
  const platform = musl ? `${build}-musl` : build;
  const no = (why: string): EngineSupport => ({ supported: false, platform, why: `${why}; ${INSTEAD}` });
  if (!BUILDS.has(build)) return no(`the embedded engine (chDB) has no build for ${platform}`);
  if (musl) return no("the embedded engine (chDB) needs glibc, and this is a musl system such as Alpine");
  if (!machine.libraryFound) {
    return no(
      `the embedded engine's library for ${platform} is not installed (run npm ci without --omit=optional)`,
    );
  }
  return { supported: true };
}

/**
 * Determines whether the embedded engine can run here, without loading its library, which takes 300 MB of
 * memory and belongs in the child process.
 */
export function engineSupport(): EngineSupport {
  return checkSupport({
    platform: process.platform,
    arch: process.arch,
    glibc: glibcVersion(),
    libraryFound: libraryFound(),
  });
}

function glibcVersion(): string | undefined {
  if (process.platform !== "linux") return undefined;
  const report = process.report as typeof process.report & { excludeNetwork?: boolean };
  // Without this, the report looks up the names of all connections' peers, which can take seconds.
  report.excludeNetwork = true;
  const { header } = report.getReport() as { header?: { glibcVersionRuntime?: string } };
  return header?.glibcVersionRuntime;
}

function libraryFound(): boolean {
  try {
    // `chdb/libchdb` only looks for the file. It gets an empty environment, because the child does not
    // inherit this process's environment either.
    const located = createRequire(import.meta.url)("chdb/libchdb") as {
      tryResolveLibchdb(options: { env: Record<string, string> }): unknown;
    };
    return located.tryResolveLibchdb({ env: {} }) !== undefined;
  } catch {
    return false;
  }
}
