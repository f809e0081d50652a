// @module-tag posix-tools
import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { fileURLToPath } from "node:url";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { runScript, SHELLS } from "./rig/shells.ts";
import { disableLineOf, tables } from "./rig/tables.ts";

const KIT = fileURLToPath(new URL("../candor.sh", import.meta.url));
const VECTORS = new URL("../../consent/vectors.json", import.meta.url);

interface Vector {
  readonly name: string;
  readonly facts: {
    readonly product: string;
    readonly switches: {
      readonly disable: readonly [string, ...string[]];
      readonly optIn?: string;
      readonly mode: string;
    };
    readonly environment: Readonly<Record<string, string>>;
    readonly policy?: string | null;
    readonly receipts?: string | null;
    readonly source: string;
    readonly rule: string;
    readonly plan: { readonly version: number; readonly hash: string };
    readonly signals?: object;
    readonly allowed?: boolean | null;
  };
  readonly expect: { readonly allow: boolean; readonly reason: string; readonly coversVersion?: number };
}

const all: readonly Vector[] = JSON.parse(readFileSync(VECTORS, "utf8"));
/** The vectors that apply to a script, which has neither a browser nor a product to ask. */
const vectors = all.filter(
  ({ facts }) => (facts.source !== "client" || facts.signals === undefined) && facts.allowed === undefined,
);

/** Sources the table, replaces what depends on the vector's plan, and prints the decision for one source. */
const SCRIPT = `set -eu
. "$1/../table.sh"
CANDOR_PLAN_PRODUCT=$2 CANDOR_PLAN_VERSION=$3 CANDOR_PLAN_HASH=$4
CANDOR_PLAN_OPT_IN=$5 CANDOR_PLAN_MODE=$6 rule=$8
candor_plan_consent() { echo "$rule"; }
. "$1/switch.sh"
TELEMETRY_STATE_DIR=$1
. '${KIT}'
kit_policy_file=$1/policy
if kit_decide "$7" 2>/dev/null; then echo "allow $kit_reason $kit_covers"; else echo "deny $kit_reason"; fi
`;

for (const shell of SHELLS)
  describe(`in ${shell.name}`, { tags: shell.tags }, () => {
    let folder = "";
    beforeAll(() => {
      folder = mkdtempSync(join(tmpdir(), "candor-consent-"));
      writeFileSync(join(folder, "table.sh"), tables.first);
    });
    afterAll(() => rmSync(folder, { recursive: true, force: true }));

    it("the kit decides as the vectors of packages/consent require", () => {
      const decided = vectors.map(({ name, facts }, index) => {
        const { product, plan, switches, source, rule } = facts;
        const state = join(folder, String(index));
        mkdirSync(state);
        writeFileSync(join(state, "switch.sh"), disableLineOf(switches.disable));
        place(join(state, "policy"), facts.policy);
        place(join(state, "receipts.ndjson"), facts.receipts);
        const words = [
          state,
          product,
          String(plan.version),
          plan.hash,
          switches.optIn ?? "",
          switches.mode,
          source,
          rule,
        ];
        const run = runScript(shell, SCRIPT, words, { environment: facts.environment });
        return `${name}: ${run.stdout.trim()}${run.stderr}`;
      });
      expect(decided).toEqual(
        vectors.map(
          ({ name, expect: { allow, reason, coversVersion } }) =>
            `${name}: ${allow ? `allow ${reason} ${coversVersion}` : `deny ${reason}`}`,
        ),
      );
      expect(vectors.length).toBeGreaterThan(80);
    });
  });

/**
 * Creates a file with this text. Undefined: creates nothing. Null: creates a folder instead, which not even
 * root can read as a file.
 */
function place(path: string, text: string | null | undefined): void {
  if (text === null) mkdirSync(path);
  else if (text !== undefined) writeFileSync(path, text);
}
