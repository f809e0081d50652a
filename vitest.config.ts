import { defineConfig } from "vitest/config";

const conditions = ["@candor/source", "node", "import", "default"];

/**
 * Two groups. `unit`: everything that runs from the sources, in one process each (chDB allows one process a folder).
 * `rig`: real processes from `dist`, killed, traced and starved (`*.rig.test.ts`), one file after another.
 */
export default defineConfig({
  resolve: { conditions },
  ssr: { resolve: { conditions, externalConditions: conditions } },
  test: {
    pool: "forks",
    projects: [
      {
        extends: true,
        test: {
          name: "unit",
          include: ["packages/**/*.test.ts", "scripts/**/*.test.ts", "bench/**/*.test.ts"],
          exclude: ["**/dist/**", "**/node_modules/**", "**/*.rig.test.ts"],
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
    ],
  },
});
