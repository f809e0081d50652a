import { defineConfig } from "vitest/config";

/** Our packages are read from their sources; everything else as Node would. */
const SOURCE = "@candor/source";
const VITE_DEFAULTS = ["module", "node", "development|production"];

/**
 * Three groups. `unit`: what runs from the sources, a process for each file (chDB allows one process a folder).
 * `rig`: real processes from `dist`, killed and starved (`*.rig.test.ts`), one file after another.
 * `system`: what needs root and system packages: strace, mounts (`*.system.test.ts`).
 */
export default defineConfig({
  resolve: { conditions: [SOURCE, ...VITE_DEFAULTS] },
  ssr: { resolve: { conditions: [SOURCE, ...VITE_DEFAULTS], externalConditions: [SOURCE] } },
  test: {
    pool: "forks",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/**/*.test.ts", "scripts/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: ["**/dist/**", "**/node_modules/**", "**/*.{rig,system}.test.ts"],
          testTimeout: 30_000,
          hookTimeout: 60_000,
        },
      },
      {
        extends: true,
        test: {
          name: "rig",
          include: ["packages/**/*.rig.test.ts", "conformance/**/*.rig.test.ts"],
          exclude: ["**/dist/**", "**/node_modules/**"],
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
          exclude: ["**/dist/**", "**/node_modules/**"],
          testTimeout: 120_000,
          fileParallelism: false,
        },
      },
    ],
  },
});
