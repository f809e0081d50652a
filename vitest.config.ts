import { availableParallelism } from "node:os";
import { defineConfig } from "vitest/config";
import { tags } from "./scripts/programs.mjs";

/** Our packages are loaded from their sources, and all others as Node loads them. */
const SOURCE = "@candor/source";
const VITE_DEFAULTS = ["module", "node", "development|production"];

/** Tests wait for disks, sockets and processes more than they compute. */
const WORKERS = availableParallelism() + 1;

/**
 * Rigs that assert how long something takes, or that load both cores. They run one after another, without
 * other tests.
 */
const QUIET_RIGS = [
  "packages/server/src/crash.rig.test.ts",
  "packages/server/src/request/{garbage,hostile}.rig.test.ts",
  "packages/node/src/{crash,faults}.rig.test.ts",
];

/**
 * The groups of tests. `unit`: runs from the sources; files share processes. `rig`: runs real processes from
 * `dist`, and kills or starves them (`*.rig.test.ts`). `quiet`: the rigs that need the machine to themselves.
 * `system`: needs root and changes the system: mounts, traces, networks (`*.system.test.ts`). `docker`: the
 * reference product in containers (`*.docker.test.ts`). Tests name the programs that they need by tags
 * (scripts/programs.mjs); `npm test` skips the tests that cannot run.
 */
export default defineConfig({
  resolve: { conditions: [SOURCE, ...VITE_DEFAULTS] },
  ssr: { resolve: { conditions: [SOURCE, ...VITE_DEFAULTS], externalConditions: [SOURCE] } },
  test: {
    pool: "forks",
    tags,
    exclude: ["**/dist/**", "**/node_modules/**"],
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: [
            "packages/**/*.test.ts",
            "scripts/**/*.test.ts",
            "bench/**/*.test.ts",
            "examples/**/*.test.ts",
          ],
          exclude: ["**/*.{rig,system,docker}.test.ts"],
          testTimeout: 120_000, // For a busy machine: on an idle one, no test takes 10 s.
          hookTimeout: 120_000,
          maxWorkers: WORKERS,
          isolate: false,
        },
      },
      {
        extends: true,
        test: {
          name: "rig",
          include: ["{packages,conformance,scripts,examples}/**/*.rig.test.ts"],
          exclude: QUIET_RIGS,
          testTimeout: 240_000,
          hookTimeout: 120_000,
          maxWorkers: WORKERS,
        },
      },
      {
        extends: true,
        test: {
          name: "quiet",
          include: QUIET_RIGS,
          testTimeout: 240_000,
          hookTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "system",
          include: ["packages/**/*.system.test.ts"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
      {
        extends: true,
        test: {
          name: "docker",
          include: ["examples/**/*.docker.test.ts"],
          globalSetup: ["examples/appsmith/rig/docker.ts"],
          testTimeout: 240_000,
          hookTimeout: 600_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
