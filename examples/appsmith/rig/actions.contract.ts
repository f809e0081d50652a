/** Row 3 of the README's table: each action that runs is reported, without any of its data. */
import { createHash } from "node:crypto";
import { describe, expect, it } from "vitest";
import type { Collector } from "./machine.ts";
import { ACTION, eventsOf, NAMES, PERSON, type Use } from "./use.ts";

/**
 * Texts that no event may contain. They are planted in rows, statements, parameters, errors and connection
 * details.
 */
const PLANTED = ["zqrow", "zqstatement", "zqparameter", "zqtable", "zqpath", "zqpassword", "zqperson"];

/** Actions to run, each with what its event must report and the least time that it takes. */
const RUNS = [
  {
    plugin: "postgres",
    body: "SELECT pg_sleep(0.3), $1 AS zqstatement_column, 'zqrow' AS zqstatement_row",
    parameters: ["zqparameter"],
    stored: { pluginName: "PostgreSQL", type: "DB", statusCode: "", isSuccessfulExecution: true },
    leastMs: 300,
  },
  {
    plugin: "postgres",
    body: "SELECT * FROM zqtable WHERE zqstatement = $1",
    parameters: ["zqparameter"],
    stored: { pluginName: "PostgreSQL", type: "DB", statusCode: "42P01", isSuccessfulExecution: false },
    leastMs: 0,
  },
  {
    plugin: "rest",
    body: "/zqpath?zqstatement=$1",
    parameters: ["zqparameter"],
    stored: { pluginName: "REST API", type: "API", statusCode: "200", isSuccessfulExecution: true },
    leastMs: 0,
  },
  {
    plugin: "rest",
    body: "/api/v1/zqpath?zqstatement=$1",
    parameters: ["zqparameter"],
    stored: { pluginName: "REST API", type: "API", statusCode: "401", isSuccessfulExecution: false },
    leastMs: 0,
  },
] as const;

/** The query strings of paths that need one. */
const QUERIES: { readonly [path: string]: string } = {
  "/api/events": "?limit=1000",
  "/api/reports/explore": "?event=execute_ACTION_TRIGGERED&by=pluginName&by=statusCode",
  "/api/reports/explore/funnel": "?step=EDITOR_PAGE_LOAD&step=execute_ACTION_TRIGGERED",
  "/api/reports/features": "?by=pluginName",
};
/** Paths that are not read: an endless stream, and a report that needs an instance's id. */
const NOT_READ = ["/api/live", "/api/reports/instances/timeline"];

/** Every path of the collector's API that answers a GET, except those in NOT_READ. */
async function listReadPaths({ read }: Collector): Promise<readonly string[]> {
  const { paths } = JSON.parse(await read("/api/openapi.json")) as { paths: Record<string, object> };
  return Object.entries(paths)
    .filter(([path, methods]) => "get" in methods && !NOT_READ.includes(path))
    .map(([path]) => path + (QUERIES[path] ?? ""));
}

export function testActions(use: Use): void {
  describe("row 3: execute_ACTION_TRIGGERED", () => {
    it("each action that runs is reported correctly, with the person as a keyed hash", async () => {
      const database = use.machine.databaseUrl(use.product);
      const elapsedMs: number[] = [];
      await use.product.api("/login", PERSON);
      for (const { plugin, body, parameters } of RUNS) {
        const url =
          plugin === "rest" ? use.machine.frontUrl(use.product) : `${database}?application_name=zqstatement`;
        const id = await use.product.addAction({ plugin, url, body, names: NAMES });
        elapsedMs.push((await use.product.execute(id, ...parameters)).elapsedMs);
      }
      const events = await eventsOf(use, ACTION, RUNS.length);
      for (const [index, { stored, leastMs }] of RUNS.entries()) {
        const properties = events[index]?.properties;
        expect(properties).toEqual({
          ...stored,
          appId: expect.stringMatching(/^[0-9a-f]{24}$/),
          pageId: expect.stringMatching(/^[0-9a-f]{24}$/),
          appMode: "edit",
          appName: NAMES.app,
          pageName: "Page1",
          datasource: { name: NAMES.datasource },
          name: NAMES.action,
          isExampleApp: false,
          originService: "appsmith-server",
          instanceId: use.product.state("instance.json").instanceId,
          version: "2.0.0",
          timeElapsed: elapsedMs[index],
          username: expect.stringMatching(/^[0-9a-f]{32}$/), // hashed by the instance, and again by the collector
        });
        expect(properties?.timeElapsed).toBeGreaterThanOrEqual(leastMs);
      }
      const names = new Set(events.flatMap(({ properties, userId }) => [properties?.username, userId]));
      expect(names).not.toContain(createHash("sha256").update(PERSON.email).digest("hex"));
    });

    it("nothing from data sources or typed by people is in the data folder or in any answer", async () => {
      const places: [string, string][] = [
        ["the data folder", use.collector.bytes()],
        ["the log", await use.collector.log()],
      ];
      for (const path of await listReadPaths(use.collector))
        places.push([path, await use.collector.read(path)]);
      for (const [place, text] of places)
        for (const planted of PLANTED) expect(text.includes(planted), `${planted} in ${place}`).toBe(false);
      // Shows that the search works: the plan declares the app's name as an exception, so it is stored and
      // found.
      expect(places.some(([, text]) => text.includes(NAMES.app))).toBe(true);
    });
  });
}
