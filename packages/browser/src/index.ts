/** The entry point of @candor/browser as an ES module. */
export { type Client, init, type Options, type Status } from "./client.ts";
export type { BrowserContext, BrowserEvent, BrowserPlan, EventsOf, Given, TypedPlan } from "./plan.ts";
