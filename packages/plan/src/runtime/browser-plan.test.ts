import { readFileSync } from "node:fs";
import { expect, it } from "vitest";
import { loadPlan } from "../load.ts";
import { REFERENCE_PLAN, REFERENCE_PLAN_FILE } from "../rig/reference-plan.ts";
import { toBrowserPlan } from "./browser-plan.ts";

/** The properties that each of the client's events declares. */
const FIELDS = ["version", "instanceId"];

it("a browser gets the client's events with their pages and property names, without explanations", () => {
  const text = readFileSync(REFERENCE_PLAN_FILE, "utf8").replace(
    "name: DEPLOY_CLICK\n",
    'name: DEPLOY_CLICK\n    selector: ".deploy"\n',
  );
  const plan = toBrowserPlan(loadPlan(text, "appsmith.yaml"));
  expect(plan.version).toBe(REFERENCE_PLAN.version);
  expect(plan.events).toHaveLength(
    REFERENCE_PLAN.events.filter(({ sources }) => sources.includes("client")).length,
  );
  expect(plan.events).toContainEqual({ name: "LOGIN_PAGE_LOAD", routes: ["/user/login"], fields: FIELDS });
  expect(plan.events).toContainEqual({ name: "RUN_QUERY_CLICK", fields: [...FIELDS, "pluginType"] });
  expect(plan.events).toContainEqual({ name: "DEPLOY_CLICK", selector: ".deploy", fields: FIELDS });
  expect(plan.context).toMatchObject({ locale: true, page: { path: true, search: [""] } });
  expect(JSON.stringify(plan)).not.toMatch(/why|owner|Instance Active/);
});
