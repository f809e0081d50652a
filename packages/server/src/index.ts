export { type Config, readConfig, SOURCES, type Source } from "./config.ts";
export { type DataFolder, openDataFolder, probeDisk } from "./data-folder.ts";
export { readPlan } from "./enforce/plan-in-force.ts";
export { listChangedExamples, makeSamples } from "./enforce/samples.ts";
export { CandorError, causeOf, ERRORS, type ErrorCode } from "./errors.ts";
export { type Keys, openKeys } from "./keys.ts";
export { type Candor, type StartOptions, startCandor } from "./main.ts";
export { DROP_REASONS, type DropReason } from "./reasons.ts";
export { listSetAside, type SetAsideRow } from "./store/set-aside.ts";
