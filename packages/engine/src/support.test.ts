import { expect, test } from "vitest";
import { checkSupport, engineSupport, type Machine } from "./support.ts";

const HERE: Machine = { platform: "linux", arch: "x64", glibc: "2.36", libraryFound: true };

test.each<[string, Partial<Machine>, string]>([
  ["Alpine", { glibc: undefined }, "linux-x64-musl"],
  ["Windows", { platform: "win32", glibc: undefined }, "win32-x64"],
  ["a 32-bit board", { arch: "arm" }, "linux-arm"],
  ["an installation without optional packages", { libraryFound: false }, "linux-x64"],
])("%s has no engine, and the message names CANDOR_CLICKHOUSE_URL", (_name, machine, platform) => {
  const support = checkSupport({ ...HERE, ...machine });
  expect(support).toMatchObject({ supported: false, platform });
  expect(support).toHaveProperty("why", expect.stringContaining("CANDOR_CLICKHOUSE_URL"));
});

test("a machine with glibc and a Mac have an engine", () => {
  expect(checkSupport(HERE)).toEqual({ supported: true });
  expect(checkSupport({ ...HERE, platform: "darwin", arch: "arm64", glibc: undefined })).toEqual({
    supported: true,
  });
});

test("checking for support does not load the library", () => {
  expect(engineSupport()).toEqual({ supported: true });
  const { sharedObjects } = process.report.getReport() as { sharedObjects: string[] };
  expect(sharedObjects.filter((path) => path.includes("chdb"))).toEqual([]);
});
