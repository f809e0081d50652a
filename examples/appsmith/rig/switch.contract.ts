/**
 * Row 6 of the README's table: turning telemetry off as the public page says, and on again, observed from
 * outside.
 */
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { buildRelease, type Collector, type Machine } from "./machine.ts";
import { openProduct, type Product } from "./product.ts";

/** What the public page tells an operator to run. */
const RESTART = "sudo docker-compose rm -fsv appsmith-internal-server nginx && sudo docker-compose up -d";
const PERSON = { email: "ada@corp.example", password: "secret" };

/** Defines the tests of row 6. @param startMachine starts the machine on which the product is installed */
export function testSwitch(startMachine: () => Promise<Machine>): void {
  describe("row 6", () => {
    let machine: Machine;
    let collector: Collector;
    let product: Product;

    beforeAll(async () => {
      machine = await startMachine();
      collector = machine.collector;
      product = await openProduct(machine);
      const release = await buildRelease(machine, "2.0.0");
      const { status, output } = await product.install(release, { typed: [["[y/N]", "y\n"]] });
      if (status !== 0) throw new Error(output);
      await product.api("/users", PERSON);
    });
    afterAll(async () => {
      await product?.remove();
      await machine?.stop();
    });

    /**
     * Runs an action, and lets a day pass, in which heartbeats are due.
     * @param hour when the day begins, in hours ahead of the real time
     */
    async function use(action: string, hour: number): Promise<void> {
      await product.api("/login", PERSON);
      await product.execute(action);
      for (const hours of [1, 8, 16, 24]) await product.pass((hour + hours) * 60);
    }

    const setSwitch = (value: boolean) =>
      product.command(
        `sed -i 's/^APPSMITH_DISABLE_TELEMETRY=.*/APPSMITH_DISABLE_TELEMETRY=${value}/' docker.env`,
      );

    it("off: nothing is sent, looked up, served to browsers or kept; on again: a new instance", async () => {
      const action = await product.addPlainAction();
      const stopControl = await collector.watch();
      await use(action, 0);
      expect((await stopControl()).length).toBeGreaterThan(3); // while telemetry is on, the watch sees packets
      await expect.poll(async () => (await collector.events("Instance Active")).length).toBeGreaterThan(1);
      const before = product.state("instance.json").instanceId;
      await collector.pause(); // so that messages wait in the outbox
      await product.execute(action);
      await expect
        .poll(() => product.telemetryFiles().filter((file) => file.includes("outbox/server")).length)
        .toBeGreaterThan(0);

      await setSwitch(true);
      await collector.resume();
      const stopWatch = await collector.watch();
      await product.command(RESTART);
      const offSinceMs = await machine.serverStartedAtMs(product);
      await product.untilHealthy();
      await use(action, 24);
      for (const path of ["/telemetry/v1/consent", "/telemetry/v1/plan", "/candor/candor.iife.js"])
        expect((await fetch(product.url + path)).status, path).toBe(204);
      // The previous server may have sent until it ended.
      expect((await stopWatch()).filter((timeMs) => timeMs >= offSinceMs)).toEqual([]);
      expect(product.telemetryFiles()).toEqual(["telemetry/receipts.ndjson"]);
      expect(product.file("telemetry/receipts.ndjson")).not.toContain(String(before));
      expect(await machine.serverLog(product)).not.toMatch(/candor|telemetry/i);

      product.advance(0);
      await setSwitch(false);
      await product.command(RESTART);
      await product.untilHealthy();
      await use(action, 0);
      const after = product.state("instance.json").instanceId;
      expect(after).toMatch(/^[0-9a-f]{8}-/);
      expect(after).not.toBe(before);
      await expect
        .poll(async () =>
          (await collector.events("Instance Active")).map(({ properties }) => properties?.instanceId),
        )
        .toContain(after);
    });
  });
}
