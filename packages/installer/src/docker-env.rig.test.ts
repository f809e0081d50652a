// @module-tag posix-tools
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript, SHELLS } from "./rig/shells.ts";

const KIT = fileURLToPath(new URL("../candor.sh", import.meta.url));
const VECTORS = new URL("../docker-env.json", import.meta.url);
const NAMES = ["OFF", "DO_NOT_TRACK"] as const;

/** The values that a reader finds in a file, by name. */
type Values = Readonly<Record<string, string | null>>;

interface Vector {
  readonly name: string;
  /** The text, in which each character stands for one byte. */
  readonly text: string;
  /** The values that the kit reads; null if it cannot determine a value. */
  readonly kit: Values;
  /**
   * The values that compose reads; null if compose rejects the file. A single value is null if it comes from
   * the environment. `scripts/docker-env-vectors.mjs` fills in these fields.
   */
  readonly compose1: Values | null;
  readonly compose2: Values | null;
}

const vectors: readonly Vector[] = JSON.parse(readFileSync(VECTORS, "utf8"));

/** Reads each file, sets OFF to true in it, and reads it again. */
const SCRIPT = `set -eu
CANDOR_PLAN_SWITCHES=OFF
. '${KIT}'
tell() {
  for name in OFF DO_NOT_TRACK; do
    if kit_look_up "$name"; then printf '%s=%s\\n' "$name" "$kit_value"; else echo "$name $kit_in_file"; fi
  done
}
for TELEMETRY_DOCKER_ENV in "$1"/*.env; do
  kit_read_docker_env
  tell
  kit_set OFF true || :
  kit_read_docker_env
  tell
done
`;

it("if the kit knows a vector's value, both versions of compose read the same value", () => {
  const wrong = vectors.filter(({ kit, compose1, compose2 }) =>
    [compose1, compose2].some(
      (values) =>
        values !== null &&
        NAMES.some((name) => kit[name] !== null && (kit[name] ?? "absent") !== (values[name] ?? "absent")),
    ),
  );
  expect(wrong.map(({ name }) => name)).toEqual([]);
  expect(vectors.length).toBeGreaterThan(60);
});

for (const shell of SHELLS)
  describe(`in ${shell.name}`, { tags: shell.tags }, () => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "candor-docker-env-"));
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    for (const awk of ["awk", "busybox"] as const)
      it(`docker.env is read as compose reads it, by ${awk}`, { tags: awk === "awk" ? [] : [awk] }, () => {
        const place = join(folder, awk);
        mkdirSync(place);
        const fileOf = (index: number) => join(place, `${String(index).padStart(3, "0")}.env`);
        for (const [index, { text }] of vectors.entries()) writeFileSync(fileOf(index), text, "latin1");
        const reader = awk === "awk" ? "" : 'awk() { busybox awk "$@"; }\n';
        const run = runScript(shell, `${reader}${SCRIPT}`, [place], { encoding: "latin1" });
        expect(run.stderr).toBe("");
        const lines = run.stdout.split("\n");
        const read = vectors.map(({ name }, index) => [name, ...lines.slice(index * 4, index * 4 + 4)]);
        expect(read).toEqual(
          vectors.map(({ name, kit }) => [
            name,
            ...NAMES.map((of) => describeValue(of, kit[of])),
            kit.OFF === null ? "OFF unknown" : "OFF=true",
            describeValue("DO_NOT_TRACK", kit.DO_NOT_TRACK),
          ]),
        );
        // A value that the kit cannot determine is left unchanged.
        for (const [index, { kit, text }] of vectors.entries()) {
          if (kit.OFF === null) expect(readFileSync(fileOf(index), "latin1")).toBe(text);
        }
      });
  });

function describeValue(name: string, value: string | null | undefined): string {
  if (value === undefined) return `${name} absent`;
  return value === null ? `${name} unknown` : `${name}=${value}`;
}
