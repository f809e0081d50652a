// @module-tag docker
/** Row 6: turning telemetry off as the public page says, seen on the network, and on again. */
import { spawn } from "node:child_process";
import { once } from "node:events";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, expect, it } from "vitest";
import { type Collector, HOST, startCollector } from "./collector.ts";
import { docker } from "./docker.ts";
import { buildRelease, Product } from "./product.ts";

/** What the public page tells an operator to run. */
const RESTART = "sudo docker-compose rm -fsv appsmith-internal-server nginx && sudo docker-compose up -d";
const PERSON = { email: "ada@corp.example", password: "secret" };

let collector: Collector;
let product: Product;

beforeAll(async () => {
  collector = await startCollector();
  product = new Product(collector, 8093);
  const release = await buildRelease(collector, "2.0.0");
  const { status, output } = await product.install(release, { typed: [["[y/N]", "y\n"]] });
  if (status !== 0) throw new Error(output);
  await product.api("/users", PERSON);
});
afterAll(async () => {
  await product?.remove();
  await collector?.stop();
});

/**
 * Watches every interface of this machine for packets to or from the collector, and for DNS queries for its name.
 * @returns a function that ends the watch and returns the time of each, epoch milliseconds
 */
async function watchNetwork(): Promise<() => Promise<readonly number[]>> {
  const filter = `host ${collector.address} or port 53`;
  const capture = spawn("tcpdump", ["-n", "-l", "-tt", "-i", "any", ...filter.split(" ")], {
    stdio: ["ignore", "pipe", "pipe"],
  });
  let output = "";
  capture.stdout.on("data", (chunk) => {
    output += String(chunk);
  });
  await once(capture.stderr, "data"); // it says that it listens
  await sleep(500);
  return async () => {
    await sleep(500);
    capture.kill("SIGINT");
    await once(capture, "close");
    const lines = output
      .split("\n")
      .filter((line) => line.includes(`${collector.address}.`) || line.includes(HOST));
    return lines.map((line) => Number(line.split(" ")[0]) * 1000);
  };
}

/** Runs an action, and lets a day pass in which heartbeats are due. */
async function use(action: string, hour: number): Promise<void> {
  await product.api("/login", PERSON);
  await product.execute(action);
  for (const hours of [1, 8, 16, 24]) await product.pass((hour + hours) * 60);
}

const setSwitch = (value: boolean) =>
  product.command(
    `sed -i 's/^APPSMITH_DISABLE_TELEMETRY=.*/APPSMITH_DISABLE_TELEMETRY=${value}/' docker.env`,
  );

it("off means no packet and no name asked for, nothing for browsers, and nothing kept; on again is another instance", async () => {
  const action = await product.addAction({
    plugin: "rest",
    url: "http://nginx",
    body: "/",
    names: { app: "App", datasource: "Api", action: "Get" },
  });
  const stopControl = await watchNetwork();
  await use(action, 0);
  expect((await stopControl()).length).toBeGreaterThan(10); // while it is on, the watch sees packets
  await expect.poll(async () => (await collector.events("Instance Active")).length).toBeGreaterThan(1);
  const before = product.state("instance.json").instanceId;
  await docker("pause", "candor"); // so that lines wait
  await product.execute(action);
  await expect
    .poll(() => product.telemetryFiles().filter((file) => file.includes("outbox/server")).length)
    .toBeGreaterThan(0);

  await setSwitch(true);
  await docker("unpause", "candor");
  const stopWatch = await watchNetwork();
  await product.command(RESTART);
  const server = `${product.project}_appsmith-internal-server_1`;
  const offSinceMs = Date.parse(await docker("inspect", "--format", "{{.State.StartedAt}}", server));
  await product.untilHealthy();
  await use(action, 24);
  for (const path of ["/telemetry/v1/consent", "/telemetry/v1/plan", "/candor/candor.iife.js"])
    expect((await fetch(product.url + path)).status, path).toBe(204);
  // The containers before may have sent until they ended.
  expect((await stopWatch()).filter((timeMs) => timeMs >= offSinceMs)).toEqual([]);
  expect(product.telemetryFiles()).toEqual(["telemetry/receipts.ndjson"]);
  expect(product.file("telemetry/receipts.ndjson")).not.toContain(String(before));
  expect(await docker("logs", server)).not.toMatch(/candor|telemetry/i);

  product.advance("+0");
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
