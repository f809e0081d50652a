import { existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { afterAll, beforeAll, describe, expect, it } from "vitest";
import { placeProducts, readProducts } from "./products.ts";
import {
  answerOf,
  basic,
  eventually,
  OBSERVE_PLAN,
  startForTest,
  type TestCandor,
} from "./rig/in-process.ts";

const root = mkdtempSync(join(tmpdir(), "candor-products-"));
afterAll(() => rmSync(root, { recursive: true }));

const TEST_PLAN = readFileSync(OBSERVE_PLAN, "utf8");

/** Writes a folder of plans, one for each product. */
function writePlans(name: string, products: readonly string[]): string {
  const dir = join(root, name);
  mkdirSync(dir, { recursive: true });
  for (const product of products) writeFileSync(join(dir, `${product}.yaml`), planOf(product));
  return dir;
}

const planOf = (product: string): string => TEST_PLAN.replace(/^product: .*$/m, `product: ${product}`);

describe("the products of a collector", () => {
  it("are those of the plans: files, or folders of them, each with a name for addresses", () => {
    const dir = writePlans("several", ["Kitchen Sink", "Ünder-Bath (2)"]);
    expect(readProducts([dir, OBSERVE_PLAN]).map(({ name }) => name)).toEqual([
      "kitchen-sink",
      "nder-bath-2",
      "test",
    ]);
  });

  it.each([
    ["two plans of one product", ["a:Kitchen", "b:kitchen"], "product_twice"],
    ["a product without a letter", ["a:漢字"], "product_unnamed"],
    ["a folder without a plan", [], "plans_missing"],
    ["more than 16 products", Array.from({ length: 17 }, (_, n) => `p${n}:P${n}`), "too_many_products"],
  ])("are refused: %s", (name, plans, code) => {
    const dir = join(root, name);
    mkdirSync(dir);
    for (const plan of plans) {
      const [file = "", product = ""] = plan.split(":");
      writeFileSync(join(dir, `${file}.yaml`), planOf(product));
    }
    expect(() => readProducts([dir])).toThrow(expect.objectContaining({ code }));
  });

  it("keep their places when others are added or listed in another order; an only one may be renamed", () => {
    const dataDir = mkdtempSync(join(root, "data-"));
    const of = (...names: string[]) =>
      readProducts(names.map((name) => join(writePlans("placed", names), `${name}.yaml`)));
    const placesOf = (...names: string[]) =>
      Object.fromEntries(placeProducts(dataDir, of(...names)).map(({ name, dir }) => [name, dir]));
    const other = (name: string): string => join(dataDir, "products", name);
    expect(placesOf("old")).toEqual({ old: dataDir });
    expect(placesOf("one")).toEqual({ one: dataDir });
    expect(placesOf("two", "one", "a-b")).toEqual({ one: dataDir, two: other("two"), "a-b": other("a-b") });
    mkdirSync(other("two"), { recursive: true });
    expect(placesOf("one")).toEqual({ one: dataDir });
    expect(() => placesOf("two")).toThrow(/belongs to the product one/);
    const databases = placeProducts(dataDir, of("one", "two", "a-b")).map((place) => place.databases.local);
    expect(databases).toEqual(["candor", "candor_product_two", "candor_product_a_b"]);
  });
});

describe("a collector of two products", () => {
  const dataDir = join(root, "running");
  const environment = {
    CANDOR_DATA_DIR: dataDir,
    CANDOR_PLAN: writePlans("two", ["Kitchen", "Bath"]),
    CANDOR_WRITE_KEYS: "kitchen/server:key-k,kitchen/server:key-k2,bath/server:key-b,bath/client:key-bc",
    CANDOR_PUBLIC_STATS: "20",
  };
  let candor: TestCandor;
  beforeAll(async () => {
    candor = await startForTest(environment);
  });
  afterAll(() => candor.close());

  const send = async (key: string, message: object): Promise<unknown> =>
    answerOf(await candor.post("/v1/batch", { batch: [message] }, { authorization: basic(key) }));
  const opened = (messageId: string, more: object = {}): object => ({
    ...{ type: "track", event: "Opened", userId: "ada", messageId },
    ...more,
  });
  const idsOf = async (product: string): Promise<unknown[]> => {
    const { events = [] } = await candor.read(`/api/events?product=${product}`);
    return events.map((event) => event.messageId).sort();
  };
  const text = async (path: string, init: RequestInit = {}): Promise<string> =>
    (await fetch(candor.url + path, init)).text();
  const asAdmin = { authorization: "Bearer token-a", "content-type": "application/json" };

  it("keeps the messages of each apart, by their keys, of which a source may have several", async () => {
    expect(await send("key-k", opened("same"))).toMatchObject({ accepted: 1 });
    expect(await send("key-k2", opened("k2"))).toMatchObject({ accepted: 1 });
    expect(await send("key-b", opened("same"))).toMatchObject({ accepted: 1 });
    expect(
      await eventually(
        () => idsOf("kitchen"),
        (ids) => ids.length === 2,
      ),
    ).toEqual(["k2", "same"]);
    expect(
      await eventually(
        () => idsOf("bath"),
        (ids) => ids.length === 1,
      ),
    ).toEqual(["same"]);
    expect(await candor.read("/api/count?product=kitchen")).toEqual({ count: 2 });
  });

  it("takes a batch for the product of its own key, and drops what has another product's key", async () => {
    expect(await send("key-k", opened("other", { writeKey: "key-b" }))).toMatchObject({
      accepted: 0,
      dropped: [{ reason: "unknown_write_key" }],
    });
    const body = { batch: [opened("alone", { writeKey: "key-bc" }), opened("other", { writeKey: "key-k" })] };
    expect(await answerOf(await candor.post("/v1/batch", body, { authorization: "" }))).toMatchObject({
      accepted: 1,
      dropped: [{ index: 1, reason: "unknown_write_key" }],
    });
    await eventually(
      () => idsOf("bath"),
      (ids) => ids.length === 2,
    );
    expect(await idsOf("bath")).toEqual(["alone", "same"]);
  });

  it("hashes the ids of each under a secret of its own", () => {
    const secretOf = (dir: string): Buffer => readFileSync(join(dir, "hash-secret"));
    expect(secretOf(dataDir)).not.toEqual(secretOf(join(dataDir, "products", "kitchen")));
  });

  it("forgets somebody in one product, and not in the other", async () => {
    const body = JSON.stringify({ user: "ada" });
    const forget = (product: string) =>
      text(`/api/forget?product=${product}`, { method: "POST", headers: asAdmin, body });
    expect(await forget("kitchen")).toContain('"where":"events","rows":2');
    expect(await idsOf("kitchen")).toEqual([]);
    expect(await idsOf("bath")).toEqual(["alone", "same"]);
  });

  it("lists its products, and asks for one where one is needed", async () => {
    const listed = await text("/api/products", { headers: asAdmin });
    expect(JSON.parse(listed)).toEqual({
      products: [
        { name: "bath", product: "Bath", planVersion: 1 },
        { name: "kitchen", product: "Kitchen", planVersion: 1 },
      ],
    });
    for (const query of ["", "?product=garden", "?product=bath&product=kitchen"]) {
      const response = await fetch(`${candor.url}/api/reports/overview${query}`, { headers: asAdmin });
      expect([response.status, await response.text()]).toEqual([
        400,
        expect.stringContaining("--product NAME. The products are bath, kitchen."),
      ]);
    }
    expect((await fetch(`${candor.url}/api/events?product=bath`)).status).toBe(401);
    expect((await fetch(`${candor.url}/api/products`)).status).toBe(401);
  });

  it("has a public page for each, and one that lists them", async () => {
    expect(await text("/privacy")).toContain('<a href="privacy/kitchen">Kitchen</a>');
    expect(JSON.parse(await text("/privacy.json"))).toMatchObject({
      products: [{ name: "bath", plan: "privacy/bath.json" }, { name: "kitchen" }],
    });
    expect(await text("/privacy/bath")).toContain("Bath");
    expect(JSON.parse(await text("/privacy/bath.json"))).toMatchObject({ product: "Bath" });
    expect((await fetch(`${candor.url}/privacy/garden`)).status).toBe(404);
    expect(await text("/stats/bath")).toContain('href="../privacy/bath"');
    expect((await fetch(`${candor.url}/stats`)).status).toBe(404);
  });

  it("counts the messages of each, and describes the routes of both", async () => {
    const metrics = await text("/metrics");
    expect(metrics).toContain('candor_events_accepted_total{product="kitchen",source="server"} 2');
    expect(metrics).toContain('candor_store_up{product="bath"} 1');
    const { paths } = await answerOf(await fetch(`${candor.url}/api/openapi.json`));
    expect(Object.keys(paths ?? {})).toEqual(
      expect.arrayContaining(["/api/products", "/api/reports/overview", "/healthz", "/privacy"]),
    );
  });

  it("keeps the first one's data and keys in their place when it serves only that one again", async () => {
    expect(candor.keys.products?.kitchen).toMatchObject({ server: "key-k" });
    const { installer } = candor.keys.writeKeys;
    await candor.close();
    const { CANDOR_PUBLIC_STATS: _none, ...rest } = environment;
    const plan = join(environment.CANDOR_PLAN, "Bath.yaml");
    candor = await startForTest({ ...rest, CANDOR_PLAN: plan, CANDOR_WRITE_KEYS: "bath/server:key-b" });
    expect(await candor.read("/api/count")).toEqual({ count: 2 });
    expect(await candor.read("/api/count?product=bath")).toEqual({ count: 2 });
    expect(await text("/api/count?product=garden", { headers: asAdmin })).toContain("The products are bath.");
    expect(candor.keys.writeKeys).toMatchObject({ installer, server: "key-b" });
    expect(existsSync(join(dataDir, "products", "kitchen", "log"))).toBe(true);
  });

  it("refuses a chosen key without a product, because it would be ambiguous", async () => {
    const dir = join(root, "ambiguous");
    const starting = startForTest({
      ...environment,
      CANDOR_DATA_DIR: dir,
      CANDOR_WRITE_KEYS: "server:key-x",
    });
    await expect(starting).rejects.toMatchObject({ code: "write_keys_invalid" });
  });
});
