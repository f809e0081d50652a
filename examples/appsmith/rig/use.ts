/** For tests: an installed product that people use, and whose operator said Yes to everything. */
import { afterAll, beforeAll, expect } from "vitest";
import type { StoredEvent } from "../../../conformance/src/read-api.ts";
import { buildRelease, type Collector, type Machine, type Release } from "./machine.ts";
import { openProduct, type Product } from "./product.ts";

export const ACTION = "execute_ACTION_TRIGGERED";
export const ACTIVE = "Instance Active";
export const PERSON = { email: "ada.zqperson@corp.example", password: "zqpassword" };
/** The names that the person gives to an app, a datasource and an action. */
export const NAMES = { app: "Zqapp Ledger", datasource: "Zqsource Books", action: "Zqaction Sum" };

/** What the tests of several rows share. All fields are set before the file's tests run. */
export interface Use {
  machine: Machine;
  collector: Collector;
  release: Release;
  product: Product;
}

/** Installs a product before the file's tests, and removes it and its machine after them. */
export function openUse(startMachine: () => Promise<Machine>): Use {
  const use = {} as Use;
  beforeAll(async () => {
    use.machine = await startMachine();
    use.collector = use.machine.collector;
    use.release = await buildRelease(use.machine, "2.0.0");
    use.product = await openProduct(use.machine);
    const { status, output } = await use.product.install(use.release, { typed: [["[y/N]", "y\n"]] });
    if (status !== 0) throw new Error(output);
    await use.product.api("/users", PERSON);
  });
  afterAll(async () => {
    await use.product?.remove();
    await use.machine?.stop();
  });
  return use;
}

/** Waits until exactly `count` events of the name are stored. */
export async function eventsOf(
  { collector }: Use,
  name: string,
  count: number,
): Promise<readonly StoredEvent[]> {
  await expect.poll(async () => (await collector.events(name)).length, { timeout: 20_000 }).toBe(count);
  return collector.events(name);
}
