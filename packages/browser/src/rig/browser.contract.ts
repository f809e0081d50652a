/**
 * The tests that every browser must pass. Each browser has its own test file, which calls `testIn`, so that
 * the browsers run in parallel.
 */
import { setTimeout as sleep } from "node:timers/promises";
import { newestSince } from "@candor/plan/runtime";
import { afterAll, beforeAll, expect, it } from "vitest";
import { REFERENCE_PLAN } from "../../../plan/src/rig/reference-plan.ts";
import { type BrowserName, type RigBrowser, type RigTab, startBrowser } from "./browsers.ts";
import { openProduct, type Product, SECRET } from "./product.ts";

const NEXT_VERSION = REFERENCE_PLAN.version + 1;
/** A property that a later version of the plan adds. */
const GROWN = `{ type: boolean, sensitivity: technical, description: More., example: true, since: ${NEXT_VERSION} }`;
const UNANSWERED = { APPSMITH_DISABLE_TELEMETRY: "false" };
const UUID = /^[0-9a-f]{8}-[0-9a-f]{4}-4[0-9a-f]{3}-[89ab][0-9a-f]{3}-[0-9a-f]{12}$/;
/** A script that returns everything that this product's pages have stored in the browser. */
const REMEMBERED = `return {
  stored: Object.keys(localStorage).filter((key) => key.startsWith("candor:" + endpoint)),
  session: sessionStorage.length,
  cookies: document.cookie,
  databases: (await indexedDB.databases?.())?.length ?? 0,
}`;
const NOTHING = { stored: [], session: 0, cookies: "", databases: 0 };

/**
 * Opens two pages one after the other. On the first, clicks, types, changes the address and calls `track`.
 */
async function tour(tab: RigTab, product: Product, init: object = {}, setup = ""): Promise<void> {
  await tab.goto(product.page("/applications", init, setup));
  for (const selector of ["#deploy", "#connect", "#held", "#unnamed", "#undeclared"])
    await tab.click(selector);
  await tab.type("#field", SECRET);
  await tab.evaluate(`history.pushState(null, "", "/app/${SECRET}/page/edit" + location.search)`);
  await tab.evaluate('telemetry.track("RUN_QUERY_CLICK", { pluginType: "DB" })');
  await tab.goto(product.page("/user/login", init, setup));
  await sleep(300);
}

const namesIn = (product: Product) => product.messages().map(({ event }) => event);
/** The names of the messages with each messageId counted once, as the collector counts repeated messages. */
const distinctNamesIn = (product: Product) => [
  ...new Map(product.messages().map(({ messageId, event }) => [messageId, event])).values(),
];
/** Waits until exactly these events have arrived, in this order. */
async function expectEvents(product: Product, ...events: readonly string[]): Promise<void> {
  await expect.poll(() => namesIn(product), { timeout: 15_000 }).toEqual(events);
}

export function testIn(name: BrowserName): void {
  let browser: RigBrowser;
  beforeAll(async () => {
    browser = await startBrowser(name);
  });
  afterAll(() => browser?.close());
  const run = (what: string, task: () => Promise<void>) => it(what, { tags: [name] }, task);

  run("without a Yes, each page makes one request without cookies, and nothing is stored", async () => {
    const product = await openProduct({ environment: UNANSWERED });
    const tab = await browser.openTab(product.url);
    await tab.evaluate('document.cookie = "session=1; path=/"');
    await tour(tab, product);
    expect(await tab.evaluate(REMEMBERED)).toEqual({ ...NOTHING, cookies: "session=1" });
    await tab.evaluate('document.cookie = "session=; max-age=0; path=/"');
    await tab.close();
    await sleep(300);
    const asked = { method: "GET", path: "/v1/consent", cookie: "", body: "" };
    expect(product.requests).toEqual([asked, asked]);
  });

  for (const setup of ["gpc", "dnt"])
    run(
      `a browser with a privacy signal (${setup}) makes no request, whatever the page's answer`,
      async () => {
        const product = await openProduct();
        const tab = await browser.openTab(product.url);
        await tour(tab, product, {}, setup);
        await tab.evaluate("return (await telemetry.consent(true)).verdict");
        await tour(tab, product, { consent: true }, setup);
        expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
        await tab.close();
        expect(product.requests).toEqual([]);
      },
    );

  run("a page that stores answers itself sends nothing before its own Yes", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.url);
    await tour(tab, product, { consent: false });
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    expect(product.requests).toEqual([]);
    expect(await tab.evaluate("return (await telemetry.consent(true)).verdict")).toBe("yes");
    await tab.click("#connect");
    await expectEvents(product, "LOGIN_PAGE_LOAD", "CREATE_DATASOURCE_CLICK");
    await tab.close();
  });

  run(
    "pages and clicks become the plan's events, without anything that people see, type or own",
    async () => {
      const product = await openProduct();
      const tab = await browser.openTab(product.url);
      await tour(tab, product);
      await expectEvents(
        product,
        ...["APPLICATIONS_PAGE_LOAD", "DEPLOY_CLICK", "CREATE_DATASOURCE_CLICK", "EDIT_APPLICATION_CLICK"],
        ...["EDITOR_PAGE_LOAD", "RUN_QUERY_CLICK", "LOGIN_PAGE_LOAD"],
      );
      const messages = product.messages();
      expect(JSON.stringify(messages)).not.toContain(SECRET);
      expect(messages[2]).toMatchObject({
        type: "track",
        messageId: expect.stringMatching(/^ajs-[0-9a-f]{32}$/),
        anonymousId: expect.stringMatching(UUID),
        properties: { pluginType: "DB" },
        context: {
          library: { name: "@candor/browser", version: "0.1.0" },
          page: { path: "/applications", url: "/applications" },
        },
      });
      expect(messages[4]?.context).toMatchObject({
        page: { path: "/app/:app/:page/edit", referrer: "/applications" },
      });
      expect(new Set(messages.map(({ anonymousId }) => anonymousId)).size).toBe(1);
      expect(new Set(messages.map(({ messageId }) => messageId)).size).toBe(messages.length);
      for (const { path, body, cookie } of product.requests) {
        expect(`${path} ${body}`).not.toContain(SECRET);
        expect({ cookie, isShort: body.length <= 32_000 }).toEqual({ cookie: "", isShort: true });
      }
      expect(await tab.evaluate("return violations")).toEqual([]);
      await tab.close();
    },
  );

  run("a single-page application sends an event only when the template changes", async () => {
    const hash = (text: string) =>
      text.replace("routes: [/user/login]", 'routes: [/user/login, "#/login/:step"]');
    const product = await openProduct({ plan: hash });
    const tab = await browser.openTab(product.page("/applications"));
    await tab.evaluate("await telemetry.status()");
    const steps = [
      ["history.replaceState(null, '', '/applications?page=2')"], // the same page
      ["history.pushState(null, '', '/app/one/home')", "VIEWER_PAGE_LOAD"],
      ["history.pushState(null, '', '/app/two/home')"], // the same template
      ["history.pushState(null, '', '/app/two/home/edit'); history.replaceState(null, '', '/app/two/home')"], // a detour
      ["history.pushState(null, '', '/app/two/home/edit')", "EDITOR_PAGE_LOAD"],
      ["history.back()", "VIEWER_PAGE_LOAD"],
      ["history.pushState(null, '', '/nowhere')"], // the plan does not name this page
      ["location.hash = '#/login/1'", "LOGIN_PAGE_LOAD"],
      ["location.hash = '#/login/2?token=1'"],
    ] as const;
    for (const [script] of steps) {
      await tab.evaluate(`${script}; await new Promise((done) => setTimeout(done, 100))`);
    }
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD", ...steps.flatMap(([, event]) => event ?? []));
    expect(product.messages().at(-1)?.context).toMatchObject({ page: { path: "/login/:step" } });
    await tab.close();
  });

  run("clicks still work as before: handlers, new tabs and held keys belong to the product", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/user/login"));
    await tab.evaluate("await telemetry.status()");
    await tab.click("#held"); // the product prevents the navigation
    expect(await tab.evaluate("return location.pathname")).toBe("/user/login");
    await tab.click("#inner");
    await tab.click("#fork", "Control");
    expect(await tab.evaluate("return location.pathname")).toBe("/user/login");
    await expect
      .poll(() => namesIn(product).filter((event) => event?.toString().endsWith("_CLICK")), {
        timeout: 15_000,
      })
      .toEqual(["EDIT_APPLICATION_CLICK", "CREATE_DATASOURCE_CLICK", "FORK_APPLICATION_CLICK"]);
    await tab.close();
  });

  for (const setup of ["", "noKeepalive", "noBeacon", "falseBeacon", "blockedBeacon", "noLocks", "noUuid"])
    run(
      `nothing is lost or counted twice if the tab closes at once or a request fails (${setup || "unchanged"})`,
      async () => {
        let failures = 2;
        const product = await openProduct({
          before: ({ method }, response) => {
            if (method === "GET" || failures === 0) return false;
            failures -= 1;
            if (failures === 0) response.destroy();
            else response.writeHead(503, { "Retry-After": "1" }).end("{}");
            return true;
          },
        });
        // Another tab of the product, without telemetry. Firefox ends the process of a site with its last tab, and
        // then may lose what the page has just stored.
        const other = await browser.openTab(`${product.url}/page.js`);
        const tab = await browser.openTab(product.page("/applications", {}, setup));
        await tab.evaluate("await telemetry.status(); await new Promise((done) => setTimeout(done, 1200))");
        // Firefox answers a click before its page has handled the event.
        await tab.evaluate(
          "window.handled = new Promise((done) => addEventListener('click', () => setTimeout(done), { capture: true, once: true }))",
        );
        await tab.click("#deploy");
        await tab.evaluate("await window.handled");
        await tab.close();
        const next = await browser.openTab(product.page("/user/login", {}, setup));
        await expect
          .poll(() => distinctNamesIn(product).sort(), { timeout: 20_000 })
          .toEqual(["APPLICATIONS_PAGE_LOAD", "DEPLOY_CLICK", "LOGIN_PAGE_LOAD"]);
        await next.close();
        await other.close();
      },
    );

  run("a message keeps its id over retries, so that the collector counts it once", async () => {
    let posts = 0;
    const product = await openProduct({
      before: ({ method }, response) => {
        if (method === "GET" || ++posts > 2) return false;
        response.writeHead(500).end("{}");
        return true;
      },
    });
    const tab = await browser.openTab(product.page("/applications"));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    const sent = product.requests
      .filter(({ method }) => method === "POST")
      .map(({ body }) => JSON.parse(body));
    expect(sent.map(({ batch }) => batch[0].messageId)).toEqual(
      Array(3).fill(product.messages()[0]?.messageId),
    );
    expect(new Set(sent.map(({ sentAt }) => sentAt)).size).toBe(3); // each attempt has its own `sentAt`
    await tab.close();
  });

  run("a No of the person or the operator deletes everything and stops sending at once", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/applications"));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    expect(await tab.evaluate<object>(REMEMBERED)).toMatchObject({
      stored: [expect.stringContaining(":id")],
    });
    const first = product.messages()[0]?.anonymousId;
    await tab.click("#connect");
    expect(await tab.evaluate("return (await telemetry.consent(false)).verdict")).toBe("no");
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    const before = product.requests.length;
    await tab.click("#deploy");
    await tab.evaluate('telemetry.track("RUN_QUERY_CLICK", { pluginType: "DB" })');
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    await sleep(1500);
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    expect({ requests: product.requests.length, events: namesIn(product) }).toEqual({
      requests: before,
      events: ["APPLICATIONS_PAGE_LOAD"],
    });

    await tab.evaluate("await telemetry.consent(true)");
    await tab.click("#connect");
    await expect.poll(() => namesIn(product).length, { timeout: 15_000 }).toBeGreaterThan(1);
    expect(product.messages().at(-1)?.anonymousId).not.toBe(first);
    product.core.answer(["client"], "no", "inspector");
    await tab.click("#connect");
    await expect
      .poll(() => tab.evaluate(REMEMBERED), { timeout: 15_000 })
      .toEqual({
        ...NOTHING,
        stored: [],
      });
    const after = product.requests.length;
    await tab.click("#deploy");
    await sleep(1500);
    expect(product.requests.length).toBe(after);
    await tab.close();
  });

  run("if each person is asked: the prompt, a Yes, a reload and a No", async () => {
    const product = await openProduct({ gateway: { asksPeople: true } });
    const tab = await browser.openTab(product.page("/applications"));
    const isOpen = "return document.querySelector('candor-consent').hasAttribute('open')";
    const press = (label: string) =>
      tab.evaluate(`const root = document.querySelector("candor-consent").shadowRoot;
        [...root.querySelectorAll("button")].find((one) => one.textContent === "${label}").click();
        await new Promise((done) => setTimeout(done, 300));`);
    await expect.poll(() => tab.evaluate(isOpen), { timeout: 10_000 }).toBe(true);
    await tab.click("#deploy"); // before the Yes: never sent
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    await press("Yes");
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    expect(product.requests.at(-1)).toMatchObject({
      path: "/v1/batch",
      cookie: `candor-consent=yes.${newestSince(REFERENCE_PLAN, "client")}`,
    });
    await tab.goto(product.page("/user/login"));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "LOGIN_PAGE_LOAD");
    expect(await tab.evaluate(isOpen)).toBe(false);

    await tab.evaluate("await telemetry.consent(false)");
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    const before = product.requests.length;
    await tab.evaluate(`await fetch(endpoint + "/v1/b", { method: "POST", body: '{"batch":[]}' })`);
    expect(product.requests.at(-1)?.cookie).toBe("");
    expect(product.requests.length).toBe(before + 1); // the No itself caused no request
    await tab.close();
  });

  run(
    "people are asked again about a plan that collects more, and their old Yes is kept until they answer",
    async () => {
      const asks = { gateway: { asksPeople: true } };
      const product = await openProduct(asks);
      const tab = await browser.openTab(product.page("/applications"));
      await tab.evaluate("await telemetry.consent(true)");
      await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
      product.grow((text) =>
        text
          .replace(/^version: \d+$/m, `version: ${NEXT_VERSION}`)
          .replace(
            "changelog:\n",
            `changelog:\n  - { version: ${NEXT_VERSION}, date: "2026-11-27", text: More. }\n`,
          )
          .replace(/(name: LOGIN_PAGE_LOAD[\s\S]*?properties:\n)/, `$1      more: ${GROWN}\n`),
      );
      product.core.answer(["client"], "yes", "inspector"); // the operator agrees first
      await tab.goto(product.page("/user/login"));
      const status = "const { verdict, ask } = await telemetry.status(); return { verdict, ask }";
      expect(await tab.evaluate(status)).toEqual({ verdict: "undecided", ask: true });
      expect(await tab.evaluate<object>(REMEMBERED)).toMatchObject({
        stored: [expect.any(String), expect.any(String)],
      });
      await tab.evaluate("await telemetry.consent(true)");
      await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "LOGIN_PAGE_LOAD");
      await tab.evaluate("await telemetry.consent(false)");
      await tab.close();
    },
  );

  run("if the script is loaded twice, a page counts once", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/applications", {}, "twice"));
    await tab.click("#connect");
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "CREATE_DATASOURCE_CLICK");
    expect(product.requests.filter(({ method }) => method === "GET")).toHaveLength(1);
    await tab.close();
  });

  run("a page that is opened again, from the browser's cache or not, counts again", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/applications"));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    await tab.goto(product.page("/user/login"));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "LOGIN_PAGE_LOAD");
    await tab.back();
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "LOGIN_PAGE_LOAD", "APPLICATIONS_PAGE_LOAD");
    // Not every browser uses its back/forward cache in a test, so the test dispatches the cache's event.
    await tab.evaluate('dispatchEvent(new PageTransitionEvent("pageshow", { persisted: true }))');
    await expect.poll(() => namesIn(product).length, { timeout: 15_000 }).toBe(4);
    await tab.close();
  });

  run("a page in the background, or prerendered, counts only when it becomes visible", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/applications", {}, "hidden"));
    await sleep(1500);
    expect(namesIn(product)).toEqual([]);
    await tab.evaluate(`Object.defineProperty(document, "visibilityState", { value: "visible" });
      document.dispatchEvent(new Event("visibilitychange"))`);
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    await tab.close();
  });

  for (const setup of ["noStorage", "fullStorage"])
    run(`a browser without room in its storage still sends (${setup})`, async () => {
      const product = await openProduct();
      const tab = await browser.openTab(product.page("/applications", {}, setup));
      await tab.click("#connect");
      await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "CREATE_DATASOURCE_CLICK");
      expect(new Set(product.messages().map(({ anonymousId }) => anonymousId)).size).toBe(1);
      if (setup === "fullStorage") await tab.evaluate("localStorage.clear()");
      await tab.close();
    });

  run(
    "if the product uses up the quota of keepalive requests, messages are sent without keepalive",
    async () => {
      const product = await openProduct({ before: ({ url = "" }) => url.includes("/hold") });
      const tab = await browser.openTab(product.page("/applications"));
      await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
      await tab.evaluate(
        'void fetch(endpoint + "/v1/hold", { method: "POST", body: "x".repeat(65500), keepalive: true }).catch(() => {})',
      );
      await tab.click("#connect");
      await expectEvents(product, "APPLICATIONS_PAGE_LOAD", "CREATE_DATASOURCE_CLICK");
      await tab.close();
    },
  );

  run(
    "the size of waiting messages and of each request is limited, and two tabs send nothing twice",
    async () => {
      let isUp = false;
      const product = await openProduct({
        before: ({ method }, response) => {
          if (method === "GET") return false;
          if (isUp) return sleep(800).then(() => false); // long enough for both tabs to send at once
          response.writeHead(503, { "Retry-After": "1" }).end("{}");
          return true;
        },
      });
      const tabs = [await browser.openTab(product.page("/applications"))];
      tabs.push(await browser.openTab(product.page("/applications")));
      for (const tab of tabs)
        await tab.evaluate(
          'await telemetry.status(); for (let i = 0; i < 1000; i++) telemetry.track("RUN_QUERY_CLICK", { pluginType: "DB", secret: "x".repeat(1000) }); await new Promise((done) => setTimeout(done, 1500));',
        );
      const stored = await tabs[0]?.evaluate<number>(
        "return Object.entries(localStorage).filter(([key]) => key.startsWith('candor:' + endpoint)).reduce((sum, [, value]) => sum + value.length, 0)",
      );
      expect(stored).toBeGreaterThan(50_000);
      expect(stored).toBeLessThan(133_000); // the limit of 100,000, and a margin of one batch
      isUp = true;
      product.requests.length = 0;
      await expect.poll(() => distinctNamesIn(product).length, { timeout: 20_000 }).toBeGreaterThan(150);
      await sleep(1500);
      expect(namesIn(product).length).toBe(distinctNamesIn(product).length);
      for (const { body } of product.requests) expect(body.length).toBeLessThanOrEqual(32_000);
      for (const tab of tabs) await tab.close();
    },
  );

  run(
    "a burst larger than the storage limit arrives completely, because full batches are sent at once",
    async () => {
      const product = await openProduct({
        before: ({ method }, response) => {
          if (method === "POST") response.writeHead(200).end("{}"); // avoids the gateway's rate limit
          return method === "POST";
        },
      });
      const tab = await browser.openTab(product.page("/user/signup"));
      await tab.evaluate(
        'await telemetry.status(); for (let i = 0; i < 1000; i++) { telemetry.track("RUN_QUERY_CLICK", { pluginType: "DB" }); if (i % 10 === 9) await new Promise((done) => setTimeout(done, 10)); }',
      );
      const arrived = () =>
        new Set(product.requests.flatMap(({ body }) => body.match(/ajs-[0-9a-f]{32}/g) ?? [])).size;
      await expect.poll(arrived, { timeout: 15_000 }).toBe(1001);
      await tab.close();
    },
  );

  run("the instance is asked again after an hour, before anything is sent", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/applications"));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    product.core.answer(["client"], "no", "inspector");
    product.requests.length = 0;
    await tab.evaluate("const now = Date.now; Date.now = () => now() + 3_700_000");
    await tab.click("#connect");
    await expect
      .poll(() => product.requests.map(({ method }) => method), { timeout: 15_000 })
      .toEqual(["GET"]);
    await sleep(1200);
    expect(product.requests).toHaveLength(1);
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    await tab.close();
  });

  run(
    "a proxy that turns telemetry off with a 204 makes the browser delete what an earlier Yes left",
    async () => {
      let isOff = false;
      const product = await openProduct({
        before: (_request, response) => {
          if (isOff) response.writeHead(204).end();
          return isOff;
        },
      });
      const tab = await browser.openTab(product.page("/applications"));
      await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
      isOff = true;
      await tour(tab, product);
      expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
      expect(namesIn(product)).toEqual(["APPLICATIONS_PAGE_LOAD"]);
      await tab.close();
    },
  );

  run("a page's own No is obeyed, whatever was agreed to before", async () => {
    const product = await openProduct();
    const tab = await browser.openTab(product.page("/applications", { consent: true }));
    await expectEvents(product, "APPLICATIONS_PAGE_LOAD");
    await tour(tab, product, { consent: false });
    expect(await tab.evaluate(REMEMBERED)).toEqual(NOTHING);
    expect(namesIn(product)).toEqual(["APPLICATIONS_PAGE_LOAD"]);
    await tab.close();
  });

  run(
    "the prompt of a page that asks: two equal buttons, usable by keyboard, and a No that lasts",
    async () => {
      const product = await openProduct();
      const tab = await browser.openTab(product.page("/applications", { consent: "ask" }));
      const prompt = 'const prompt = document.querySelector("candor-consent"); ';
      await expect
        .poll(() => tab.evaluate(`${prompt} return prompt.hasAttribute("open")`), { timeout: 10_000 })
        .toBe(true);
      const looks = await tab.evaluate<readonly string[]>(`${prompt}
      return [...prompt.shadowRoot.querySelectorAll("button")].map((button) => {
        const { width, height } = button.getBoundingClientRect();
        const style = getComputedStyle(button);
        return [width, height, style.color, style.backgroundColor, style.borderColor, style.fontSize, style.fontWeight].join();
      });`);
      expect(new Set(looks).size).toBe(1);
      expect(
        await tab.evaluate(`${prompt} return prompt.shadowRoot.querySelector("a").getAttribute("href")`),
      ).toMatch(/^\/telemetry\d+\/v1\/plan$/);
      await tab.evaluate(`${prompt} prompt.shadowRoot.querySelectorAll("button")[1].focus()`);
      await tab.press("Enter");
      await expect.poll(() => tab.evaluate(`${prompt} return prompt.hasAttribute("open")`)).toBe(false);
      await tab.goto(product.page("/applications", { consent: "ask" }));
      await sleep(500);
      expect(await tab.evaluate(`${prompt} return prompt.hasAttribute("open")`)).toBe(false);
      expect(product.requests.every(({ method }) => method === "GET")).toBe(true);
      expect(await tab.evaluate("return violations")).toEqual([]);
      await tab.evaluate("localStorage.clear()");
      await tab.close();
    },
  );
}
