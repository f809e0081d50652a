import { describe, expect, it } from "vitest";
import type { Client } from "./client.ts";
import { type BrowserPlan, findPage, pick } from "./plan.ts";

function planWith(...routes: readonly string[]): BrowserPlan {
  return {
    version: 1,
    events: routes.map((route) => ({ name: route, routes: [route], fields: [] })),
    context: {},
  };
}

describe("a page's address", () => {
  it.each([
    ["/", "/", ""],
    ["/applications", "/applications", ""],
    ["/applications", "/applications/", ""],
    ["/app/:app/:page", "/app/6124/home", ""],
    ["/app/:app/:page/edit", "/app/6124/home/edit", ""],
    ["/docs/*", "/docs", ""],
    ["/docs/*", "/docs/a/b", ""],
    ["/*", "/anything/at/all", ""],
    ["/v1.2/notes", "/v1.2/notes", ""],
    ["#/settings", "/", "#/settings"],
    ["#/settings/:tab", "/app", "#/settings/users?sort=name"],
    ["#/", "/", "#/"],
  ])("%s names %s%s", (route, pathname, hash) => {
    expect(findPage(planWith("/other", route), { pathname, hash })?.template).toBe(route);
  });

  it.each([
    ["/", "/applications", ""],
    ["/applications", "/applications/archive", ""],
    ["/applications", "/old/applications", ""],
    ["/app/:app/:page", "/app/6124", ""],
    ["/app/:app", "/app/", ""],
    ["/app/:app", "/app/a/b", ""],
    ["/v1.2/notes", "/v1x2/notes", ""],
    ["/docs/*", "/docsearch", ""],
    ["#/settings", "/settings", ""],
    ["/settings", "/", "#/settings"],
  ])("%s does not name %s%s", (route, pathname, hash) => {
    expect(findPage(planWith(route), { pathname, hash })).toBeUndefined();
  });

  it("belongs to the first event of the plan that names it", () => {
    const plan = planWith("/app/new", "/app/:app");
    expect(findPage(plan, { pathname: "/app/new", hash: "" })?.event.name).toBe("/app/new");
    expect(findPage(plan, { pathname: "/app/old", hash: "" })?.event.name).toBe("/app/:app");
  });
});

it("only the values that the plan declares are picked from what a page knows", () => {
  const allowed = {
    locale: true,
    page: { title: ["Home"], search: [""], path: true },
    screen: true,
  } as const;
  const given = {
    locale: "de",
    page: { title: "Secret", search: "", path: "/a", url: "/a" },
    library: { name: "x" },
  };
  expect(JSON.parse(JSON.stringify(pick(allowed, given)))).toEqual({
    locale: "de",
    page: { search: "", path: "/a" },
  });
  expect(pick({ page: { path: true } }, { page: null })).toEqual({});
});

it("with a typed plan, the compiler accepts only its events and properties", () => {
  interface Plan {
    readonly sources?: {
      readonly client: {
        readonly events: {
          readonly OPENED: Record<string, never>;
          readonly CREATED: { readonly kind: "API" | "DB" };
        };
      };
    };
  }
  const calls: unknown[] = [];
  const client = { track: (...call: unknown[]) => calls.push(call) } as unknown as Client<Plan>;
  client.track("OPENED");
  client.track("CREATED", { kind: "DB" });
  // @ts-expect-error: the plan has no such event
  client.track("DELETED");
  // @ts-expect-error: the property is required
  client.track("CREATED");
  // @ts-expect-error: the value is not among those declared
  client.track("CREATED", { kind: "CSV" });
  const untyped = client as unknown as Client;
  untyped.track("ANYTHING", { whatever: 1 });
  expect(calls).toHaveLength(6);
});
