/** The server package's entry point. */
import type * as main from "./main.ts";

export { type Config, readConfig, SOURCES, type Source } from "./config.ts";
export { isDataFolderHeld, openDataFolder, probeDisk } from "./data-folder.ts";
export { readPlan } from "./enforce/plan-in-force.ts";
export { CandorError, causeOf, ERRORS, type ErrorCode } from "./errors.ts";
export { findKeys, type Keys, openKeys, readKeys, type WriteKeys, writeKeysOf } from "./keys.ts";
export type { Candor, StartOptions } from "./main.ts";
export { checkFolderOwner } from "./private-folder.ts";
export { listPlanFiles, listProductDirs, type Product, readFirstProduct, readProducts } from "./products.ts";
export { DROP_REASONS, type DropReason } from "./reasons.ts";
export type { Anonymity, AnonymityReport, FieldAnonymity } from "./reports/anonymity-report.ts";
export { listChangedExamples, makeSamples } from "./samples.ts";
export { listQuarantined, type QuarantinedRow } from "./store/quarantine.ts";

/**
 * Starts the collector. main.ts is loaded only when this is first called, because the other `candor` commands
 * need neither an HTTP server nor a store.
 */
export const startCandor: typeof main.startCandor = async (...args) =>
  (await import("./main.ts")).startCandor(...args);
