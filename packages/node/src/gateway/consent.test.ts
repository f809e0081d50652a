import { describe, expect, it } from "vitest";
import { ACME_TEXT, ALLOWED, CLICK, NOT_ALLOWED, ON, openSite, planOf, type Site } from "./rig/site.ts";

const ROUTES = ACME_TEXT.replace("name: CLICK\n", 'name: CLICK\n    selector: ".deploy"\n').replace(
  "name: Home\n",
  "name: Home\n    routes: [/home]\n",
);

async function ask({ url }: Site, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/consent`, { headers });
  return { status: response.status, headers: response.headers, body: JSON.parse(await response.text()) };
}

async function answer({ url }: Site, body: unknown, headers: Record<string, string> = {}) {
  const response = await fetch(`${url}/v1/consent`, { method: "POST", headers, body: JSON.stringify(body) });
  const cookie = response.headers.get("set-cookie") ?? undefined;
  return { status: response.status, cookie, body: JSON.parse(await response.text()) };
}

describe("a browser that asks whether it may send", () => {
  it("is told what it may send, on which pages and from which controls, but not the plan's reasons", async () => {
    const site = await openSite({ plan: planOf(ROUTES) });
    const { status, headers, body } = await ask(site);
    expect({ status, cookie: headers.get("set-cookie"), cache: headers.get("cache-control") }).toEqual({
      status: 200,
      cookie: null,
      cache: "no-store",
    });
    expect(body).toEqual({
      allow: true,
      reason: "consented",
      refused: false,
      ask: false,
      since: 1,
      product: "Acme",
      plan: {
        version: 1,
        events: [
          { name: "CLICK", selector: ".deploy", fields: ["role"] },
          { name: "Home", type: "page", routes: ["/home"], fields: [] },
        ],
        context: { ip: true, userAgent: true, locale: true },
      },
    });
  });

  it.each([
    [
      "turned off",
      { ACME_DISABLE_TELEMETRY: "true", ACME_CLIENT_TELEMETRY: "yes" },
      {},
      "environment_disable",
      true,
    ],
    ["never answered for the client", { ACME_DISABLE_TELEMETRY: "false" }, {}, "consent_missing", false],
    ["refused for the client", { ...ON, ACME_CLIENT_TELEMETRY: "no" }, {}, "environment_opt_in_off", true],
    ["on, but the browser has Global Privacy Control", ON, { "sec-gpc": "1" }, "browser_gpc", true],
    ["on, but the browser says Do Not Track", ON, { dnt: "1" }, "browser_dnt", true],
  ])(
    "is told No and the reason, without a plan, if telemetry is %s",
    async (_what, environment, headers, reason, refused) => {
      const site = await openSite({ environment });
      expect((await ask(site, headers)).body).toEqual({ allow: false, reason, refused, ask: false });
    },
  );

  it("is not told what a later plan added until somebody agrees to it", async () => {
    const site = await openSite();
    await site.post("/v1/t", CLICK);
    site.core.close();
    const grown = planOf(
      ROUTES.replace("version: 1\nabout", "version: 2\nabout")
        .replace("changelog: [", 'changelog: [{ version: 2, date: "2026-11-24", text: Home. }, ')
        .replace(/(name: Home[\s\S]*?)since: 1/, "$1since: 2"),
    );
    const later = await openSite({ plan: grown, stateDir: site.dir });
    const { plan, since } = (await ask(later)).body;
    const names = plan.events.map(({ name }: { readonly name: string }) => name);
    expect({ names, since }).toEqual({ names: ["CLICK"], since: 1 });
  });

  it("is told the current state, not that of the start", async () => {
    const site = await openSite();
    expect((await ask(site)).body.allow).toBe(true);
    site.core.answer(["client"], "no", "inspector");
    expect((await ask(site)).body).toEqual({ allow: false, reason: "stored_no", refused: true, ask: false });
    site.core.close();
  });

  it("is refused if it asks from another site's page", async () => {
    const site = await openSite();
    expect((await ask(site, { "sec-fetch-site": "cross-site" })).status).toBe(403);
  });
});

describe("if each person is asked", () => {
  const asking = { gateway: { asksPeople: true } };

  it("no message of a browser is accepted before its person's Yes, or after their No", async () => {
    const site = await openSite(asking);
    expect((await ask(site)).body).toMatchObject({
      allow: false,
      reason: "person_undecided",
      ask: true,
      since: 1,
    });
    expect((await site.post("/v1/t", CLICK)).body).toEqual(NOT_ALLOWED);

    const yes = await answer(site, { answer: "yes" });
    expect(yes).toMatchObject({ status: 200, body: { success: true, stored: true } });
    expect(yes.cookie).toBe("candor-consent=yes.1; Max-Age=34560000; Path=/telemetry; SameSite=Strict");
    const cookie = yes.cookie?.split(";")[0] ?? "";
    expect((await site.post("/v1/t", CLICK, { cookie: `other=1; ${cookie}` })).body).toEqual(ALLOWED);
    expect((await site.post("/v1/t", CLICK)).body).toEqual(NOT_ALLOWED);

    const no = await answer(site, { answer: "no" }, { cookie });
    expect(no.cookie).toContain("candor-consent=; Max-Age=0;");
    expect(site.kept()).toHaveLength(1);
  });

  it("a Yes for an older plan does not cover what browsers may send now", async () => {
    const grown = ACME_TEXT.replace("version: 1\nabout", "version: 2\nabout")
      .replace("changelog: [", 'changelog: [{ version: 2, date: "2026-11-24", text: Home. }, ')
      .replace(/(name: Home[\s\S]*?)since: 1/, "$1since: 2");
    const site = await openSite({ ...asking, plan: planOf(grown) });
    const cookie = { cookie: "candor-consent=yes.1" };
    expect((await site.post("/v1/t", CLICK, cookie)).body).toEqual(NOT_ALLOWED);
    expect((await site.post("/v1/t", CLICK, { cookie: "candor-consent=yes.2" })).body).toEqual(ALLOWED);
  });

  it.each([
    ["the operator's No", { ...ON, ACME_CLIENT_TELEMETRY: "no" }, {}],
    ["the operator's silence", { ACME_DISABLE_TELEMETRY: "false" }, {}],
    ["Global Privacy Control", ON, { "sec-gpc": "1" }],
  ])("nobody is asked under %s, and a Yes is not kept", async (_what, environment, headers) => {
    const site = await openSite({ ...asking, environment });
    expect((await ask(site, headers)).body).toMatchObject({ allow: false, ask: false });
    expect(await answer(site, { answer: "yes" }, headers)).toEqual({
      status: 200,
      cookie: undefined,
      body: { success: true, stored: false },
    });
    const cookie = { ...headers, cookie: "candor-consent=yes.1" };
    expect((await site.post("/v1/t", CLICK, cookie)).body).toEqual(NOT_ALLOWED);
  });

  it.each([{ answer: "maybe" }, {}, { answer: null }])("an invalid answer is refused: %j", async (body) => {
    const site = await openSite(asking);
    expect(await answer(site, body)).toMatchObject({ status: 400, body: { code: "answer_invalid" } });
  });

  it("no cookie is set if people are not asked", async () => {
    const site = await openSite();
    expect(await answer(site, { answer: "yes" })).toMatchObject({
      cookie: undefined,
      body: { stored: false },
    });
  });
});

it("shows people the plan that they are asked about", async () => {
  const { url } = await openSite({ environment: {} });
  const response = await fetch(`${url}/v1/plan`);
  expect(response.headers.get("content-security-policy")).toContain("default-src 'none'");
  expect(await response.text()).toContain("For the tests of the gateway.");
});
