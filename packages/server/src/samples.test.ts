import { labelOf } from "@candor/plan";
import { expect, it } from "vitest";
import { readPlan } from "./enforce/plan-in-force.ts";
import { APPSMITH_PLAN } from "./rig/in-process.ts";
import { listChangedExamples, makeSamples } from "./samples.ts";

const plan = readPlan(APPSMITH_PLAN);
const samples = makeSamples(plan);

it("makes a sample of every event of the Appsmith plan, by sending its examples through the pipeline", () => {
  expect([...samples.keys()]).toEqual(plan.events.map(labelOf));
});

it("makes the same samples for the same plan", () => {
  expect(makeSamples(plan)).toEqual(samples);
});

it("finds no example in the Appsmith plan that the collector would change", () => {
  expect(listChangedExamples(plan)).toEqual([]);
});

it.each([
  ["Firefox on Linux", []],
  ["Mozilla/5.0 (X11; Linux x86_64; rv:120.0) Gecko/20100101 Firefox/120.0", []],
  ["Kitchen 1.2", ["context.userAgent"]],
  ["curl", ["context.userAgent"]],
])("checks a user agent's example by the source's policy: %s", (example, paths) => {
  const { client } = plan.sources;
  const userAgent = client?.context.userAgent;
  if (client === undefined || userAgent === undefined) throw new Error("the Appsmith plan has both");
  const context = { ...client.context, userAgent: { ...userAgent, example } };
  const changed = listChangedExamples({
    ...plan,
    sources: { ...plan.sources, client: { ...client, context } },
  });
  expect(changed.map(({ path }) => path)).toEqual(paths);
});
