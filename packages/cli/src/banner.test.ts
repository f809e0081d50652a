import { fileURLToPath } from "node:url";
import type { Plan } from "@candor/plan";
import { readPlan } from "@candor/server";
import { expect, test } from "vitest";
import { REFERENCE_PLAN } from "../../plan/src/rig/reference-plan.ts";
import { type BannerFacts, renderBanner } from "./banner.ts";
import { createColours } from "./terminal.ts";

const PLAIN = createColours(false);
const OBSERVE = readPlan(fileURLToPath(new URL("../../server/fixtures/plans/observe.yaml", import.meta.url)));
const productOf = (name: string, planFile: string, plan: Plan) => ({
  ...{ name, planFile, plan },
  writeKeys: { installer: "installer_I", server: "server_S", client: "client_C" },
});
const FACTS: BannerFacts = {
  url: "http://127.0.0.1:7226",
  adminToken: "admin_A",
  products: [productOf("appsmith", "/srv/plans/appsmith.yaml", REFERENCE_PLAN)],
  config: {
    host: "127.0.0.1",
    dataDir: "/srv/.candor",
    adminToken: undefined,
    clickhouseUrls: undefined,
  },
  nowMs: Date.UTC(2026, 11, 1),
  workingDir: "/srv",
};

test("the banner shows the address, the keys and commands to paste", () => {
  expect(renderBanner(FACTS, PLAIN)).toBe(`Candor is collecting on http://127.0.0.1:7226

  Read        http://127.0.0.1:7226/api/events
  Token       admin_A
  Write keys  installer  installer_I
              server     server_S
              client     client_C
  Data        /srv/.candor (embedded ClickHouse)
  Plan        Appsmith, version ${REFERENCE_PLAN.version} (plans/appsmith.yaml)
  Privacy     http://127.0.0.1:7226/privacy

Send a first event:
  curl -sS http://127.0.0.1:7226/v1/track -u server_S: -H 'content-type: application/json' -d '{"type":"track","event":"Instance Active","anonymousId":"6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d","properties":{"instanceId":"6f0d2f6c-3c1e-4f6e-9a55-2f1c7b1f0a3d"}}'
Read it back:
  curl -sS http://127.0.0.1:7226/api/events -H 'Authorization: Bearer admin_A'
Watch events arrive, in another terminal:
  npx candor tail
Stop: Ctrl-C

`);
});

test("with several products, each has its keys, its plan and its page, and commands name the first", () => {
  const kitchen = productOf("kitchen-sink", "/srv/plans/kitchen.yaml", {
    ...REFERENCE_PLAN,
    product: "Kitchen Sink",
  });
  const banner = renderBanner({ ...FACTS, products: [...FACTS.products, kitchen] }, PLAIN);
  expect(banner).toContain(`  Read        http://127.0.0.1:7226/api/events?product=appsmith
  Token       admin_A
  Data        /srv/.candor (embedded ClickHouse)

  Product     appsmith
  Write keys  installer  installer_I
              server     server_S
              client     client_C
  Plan        Appsmith, version ${REFERENCE_PLAN.version} (plans/appsmith.yaml)
  Privacy     http://127.0.0.1:7226/privacy/appsmith

  Product     kitchen-sink
`);
  expect(banner).toContain("curl -sS 'http://127.0.0.1:7226/api/events?product=appsmith' -H");
  expect(banner).toContain("npx candor tail --product appsmith\n");
});

test("colours change only the colours", () => {
  const coloured = renderBanner(FACTS, createColours(true));
  expect(coloured).not.toBe(renderBanner(FACTS, PLAIN));
  expect(coloured.replaceAll(new RegExp(`${String.fromCharCode(27)}\\[\\d+m`, "g"), "")).toBe(
    renderBanner(FACTS, PLAIN),
  );
});

test("a collector on all addresses is shown at 127.0.0.1, with a warning", () => {
  const banner = renderBanner(
    { ...FACTS, url: "http://[::]:41000", config: { ...FACTS.config, host: "::" } },
    PLAIN,
  );
  expect(banner).toContain("Candor is collecting on http://127.0.0.1:41000\nWarning: it listens on ::,");
  expect(banner).not.toContain("http://[::]");
});

test("the command for another terminal sets what it needs, quoted for sh", () => {
  const tailOf = (facts: Partial<BannerFacts>, config: Partial<BannerFacts["config"]> = {}) =>
    /\n {2}(.*candor tail)\n/.exec(
      renderBanner({ ...FACTS, ...facts, config: { ...FACTS.config, ...config } }, PLAIN),
    )?.[1];
  expect(tailOf({ url: "http://127.0.0.1:41000" }, { dataDir: "/srv/it's here" })).toBe(
    "CANDOR_URL=http://127.0.0.1:41000 CANDOR_DATA_DIR='/srv/it'\\''s here' npx candor tail",
  );
  expect(tailOf({ adminToken: "$x'y" }, { adminToken: "$x'y", dataDir: "/elsewhere" })).toBe(
    "CANDOR_ADMIN_TOKEN='$x'\\''y' npx candor tail",
  );
});

test("a password in a ClickHouse address is not shown", () => {
  const clickhouseUrls = ["http://me:secret@one:8123", "http://two:8123"];
  const banner = renderBanner({ ...FACTS, config: { ...FACTS.config, clickhouseUrls } }, PLAIN);
  expect(banner).toContain("/srv/.candor (log), events in ClickHouse at http://one:8123, http://two:8123\n");
  expect(banner).not.toContain("secret");
});

test("a plan that keeps undeclared data or whole IP addresses is reported; a plan elsewhere is shown with its full path", () => {
  const banner = renderBanner({ ...FACTS, products: [productOf("test", "/etc/plan.yaml", OBSERVE)] }, PLAIN);
  const [, ...warnings] = banner.slice(0, banner.indexOf("\n\n")).split("\n");
  expect(warnings).toEqual(
    ["installer", "server", "client"].flatMap((source) => [
      `Warning: source ${source}: It is in mode observe: undeclared data is kept.`,
      `Warning: source ${source}: It keeps whole IP addresses.`,
    ]),
  );
  expect(banner).toContain("  Plan        Test, version 1 (/etc/plan.yaml)\n");
});

test("no example is shown if every event of the plan has expired", () => {
  const events = REFERENCE_PLAN.events.map((event) => ({ ...event, expires: "2026-12-01" }));
  const products = [productOf("appsmith", "/plan.yaml", { ...REFERENCE_PLAN, events })];
  const banner = renderBanner({ ...FACTS, products }, PLAIN);
  expect(banner).not.toContain("Send a first event");
  expect(banner).toContain("Every event of the plan has expired, so nothing is accepted.\n");
});
