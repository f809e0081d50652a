import { labelOf } from "@candor/plan";
import { expect, it } from "vitest";
import { APPSMITH_PLAN } from "../rig/in-process.ts";
import { readPlan } from "./plan-in-force.ts";
import { makeSamples } from "./samples.ts";

const plan = readPlan(APPSMITH_PLAN);
const samples = makeSamples(plan);

it("makes a sample of every event of the Appsmith plan, by sending its examples through the pipeline", () => {
  expect([...samples.keys()]).toEqual(plan.events.map(labelOf));
});

it("makes the same samples of the same plan", () => {
  expect(makeSamples(plan)).toEqual(samples);
});
