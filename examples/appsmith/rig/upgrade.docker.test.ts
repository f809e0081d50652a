// @module-tag docker
/** Row 8 of the README's table: an upgrade of product and plan, with a canary and a rollback. */
import { readFileSync, writeFileSync } from "node:fs";
import { basename, join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { parse, stringify } from "yaml";
import { REFERENCE_PLAN } from "../../../packages/plan/src/rig/reference-plan.ts";
import { type ContainerMachine, startContainers } from "./containers.ts";
import { docker } from "./docker.ts";
import { buildRelease, type Collector, type Release } from "./machine.ts";
import { openProduct, type Product } from "./product.ts";

const PERSON = { email: "ada@corp.example", password: "secret" };
const ACTIVE = "Instance Active";
const ACTION = "execute_ACTION_TRIGGERED";

let machine: ContainerMachine;
let collector: Collector;
let product: Product;
let old: Release;
let newer: Release;

beforeAll(async () => {
  machine = await startContainers();
  collector = machine.collector;
  old = await buildRelease(machine, "1.0.0", planBefore());
  newer = await buildRelease(machine, "2.0.0");
  product = await openProduct(machine);
});
afterAll(async () => {
  await product?.remove();
  await machine?.stop();
});

interface PlanText {
  version: number;
  changelog: { version: number }[];
  events: { since: number; properties?: Record<string, { since?: number }> }[];
}

const OLD_VERSION = 2;

/** Writes the plan as it was at OLD_VERSION. @returns the file's path */
function planBefore(): string {
  const text = readFileSync(new URL("../../../plans/appsmith.yaml", import.meta.url), "utf8");
  const plan = parse(text) as PlanText;
  plan.version = OLD_VERSION;
  plan.changelog = plan.changelog.filter(({ version }) => version <= OLD_VERSION);
  plan.events = plan.events.filter(({ since }) => since <= OLD_VERSION);
  for (const event of plan.events) {
    const kept = Object.entries(event.properties ?? {}).filter(([, { since = 1 }]) => since <= OLD_VERSION);
    if (kept.length > 0) event.properties = Object.fromEntries(kept);
    else delete event.properties;
  }
  const file = join(machine.folder, "appsmith.yaml");
  writeFileSync(file, stringify(plan, { aliasDuplicateObjects: false }));
  return file;
}

const lastHeartbeat = async () => (await collector.events(ACTIVE)).at(-1);

describe("row 8", () => {
  it("the id and waiting messages survive a canary, a rollback and an upgrade; additions wait for an answer", async () => {
    expect((await product.install(old, { typed: [["[y/N]", "y\n"]] })).status).toBe(0);
    await product.api("/users", PERSON);
    const action = await product.addPlainAction();
    await product.pass(6);
    await expect
      .poll(async () => (await lastHeartbeat())?.candor)
      .toMatchObject({ planVersion: REFERENCE_PLAN.version, sentPlanVersion: OLD_VERSION });
    const id = product.state("instance.json").instanceId;

    // Messages wait in the outbox, because the collector does not answer.
    await collector.pause();
    for (let run = 0; run < 5; run += 1) await product.execute(action);
    await expect
      .poll(() => product.telemetryFiles().filter((file) => file.includes("outbox/server")).length)
      .toBeGreaterThan(0);

    // A canary of the new version beside the old one, on the same folder.
    const canary = [
      "run",
      "--detach",
      "--name",
      "canary",
      "--network",
      `${basename(product.folder)}_default`,
      "--env-file",
      "docker.env",
    ];
    await product.command(
      `docker ${canary.join(" ")} --dns ${machine.nameServer} --volume "$PWD/telemetry:/telemetry" --user "$(id -u):$(id -g)" appsmith-server:2.0.0 && docker network connect candor canary`,
    );
    await sleep(3000);
    const execute = `const login = await fetch("http://127.0.0.1:8080/api/v1/login", { method: "POST", headers: { "content-type": "application/json" }, body: JSON.stringify(${JSON.stringify(PERSON)}) });
      const cookie = login.headers.getSetCookie()[0].split(";")[0];
      await fetch("http://127.0.0.1:8080/api/v1/actions/${action}/execute", { method: "POST", headers: { "content-type": "application/json", cookie }, body: "{}" });`;
    await docker("exec", "canary", "node", "--input-type=module", "--eval", execute);
    expect(product.state("instance.json").instanceId).toBe(id);
    await docker("stop", "--time", "5", "canary"); // the rollback
    await docker("rm", "canary");
    await collector.resume();
    await product.execute(action);
    await product.pass(15);
    await expect.poll(async () => (await collector.events(ACTION)).length, { timeout: 30_000 }).toBe(7);
    const runs = await collector.events(ACTION);
    expect(new Set(runs.map(({ messageId }) => messageId)).size).toBe(7);
    expect(
      runs.filter(({ candor }) => "sentPlanVersion" in candor && candor.sentPlanVersion === 2),
    ).toHaveLength(6);
    for (const { properties } of runs) {
      expect(properties?.instanceId).toBe(id);
      expect(properties).not.toHaveProperty("version"); // new in this version, and nobody has seen a notice about it
    }

    // The upgrade shows a notice about what is new, and asks about the client's additions. A No to these
    // leaves the earlier Yes in force.
    product.advance(0);
    const { status, output } = await product.install(newer, {
      parameters: ["--upgrade"],
      typed: [["[y/N]", "n\n"]],
    });
    expect(output).toContain("Appsmith tells its makers");
    expect(output).toContain("New: Every event also says which version");
    expect(status).toBe(0);
    await product.untilHealthy();
    await product.pass(7 * 60);
    await expect
      .poll(async () => (await lastHeartbeat())?.properties, { timeout: 20_000 })
      .toMatchObject({ instanceId: id, version: "2.0.0", edition: "community" });
    expect(product.state("instance.json").instanceId).toBe(id);
    const told = await (await fetch(`${product.url}/telemetry/v1/consent`)).json();
    expect(told).toMatchObject({
      allow: true,
      plan: {
        events: expect.arrayContaining([expect.objectContaining({ name: "EDITOR_PAGE_LOAD", fields: [] })]),
      },
    });
  });
});
