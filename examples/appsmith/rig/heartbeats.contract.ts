/** Row 2 of the README's table: the heartbeats of a running instance. */
import { setTimeout as sleep } from "node:timers/promises";
import { describe, expect, it } from "vitest";
import { ACTIVE, eventsOf, type Use } from "./use.ts";

export function testHeartbeats(use: Use): void {
  describe("row 2: Instance Active", () => {
    it("comes some minutes after the start, with the version, the facts and the install's id", async () => {
      expect(await use.collector.events(ACTIVE)).toEqual([]);
      await use.product.pass(6);
      const [first] = await eventsOf(use, ACTIVE, 1);
      const [started] = await use.collector.events("Installation Started");
      expect(first?.properties).toEqual({
        instanceId: use.product.state("instance.json").instanceId,
        boot: expect.stringMatching(/^[0-9a-f]{16}$/),
        installId: started?.anonymousId,
        version: "2.0.0",
        edition: "community",
        os: process.platform,
        arch: process.arch,
        runtime: use.machine.runtime,
        environment: "production",
      });
    });

    it("comes every 6 hours, under one id, across restarts and `rm -fsv`", async () => {
      const id = use.product.state("instance.json").instanceId;
      await use.product.pass(5 * 60 + 50);
      expect(await use.collector.events(ACTIVE)).toHaveLength(1);
      await use.product.pass(6 * 60 + 30);
      await eventsOf(use, ACTIVE, 2);
      await use.product.command("docker-compose restart --timeout 5 appsmith-internal-server");
      await use.product.untilHealthy();
      await use.product.pass(13 * 60);
      await eventsOf(use, ACTIVE, 3);
      await use.product.command(
        "docker-compose rm -fsv appsmith-internal-server nginx && docker-compose up -d",
      );
      await use.product.untilHealthy();
      await use.product.pass(20 * 60);
      const events = await eventsOf(use, ACTIVE, 4);
      expect(new Set(events.map(({ properties }) => properties?.instanceId))).toEqual(new Set([id]));
      expect(new Set(events.map(({ properties }) => properties?.boot)).size).toBe(3);
      expect(events.filter(({ properties }) => properties?.installId !== undefined)).toHaveLength(1);
      const times = events.map(({ originalTimestamp, timestamp }) =>
        Date.parse(originalTimestamp ?? timestamp),
      );
      for (const [index, timeMs] of times.entries())
        if (index > 0) expect(timeMs - (times[index - 1] ?? 0)).toBeGreaterThanOrEqual(6 * 3_600_000);
    });

    it("does not come while the database is down, and comes again afterwards", async () => {
      await use.product.command("docker-compose stop --timeout 5 postgres");
      await use.product.pass(27 * 60);
      await sleep(1000);
      expect(await use.collector.events(ACTIVE)).toHaveLength(4);
      await use.product.command("docker-compose start postgres");
      await use.product.untilHealthy();
      await use.product.pass(27 * 60 + 20);
      await eventsOf(use, ACTIVE, 5);
      use.product.advance(0);
      await use.product.command("docker-compose restart --timeout 5 appsmith-internal-server");
      await use.product.untilHealthy();
    });
  });
}
