/** Exports the engine package's public API. */
export { builtFile } from "./built-file.ts";
export type { EngineStatus, EngineTimes } from "./engine.ts";
export { type Engine, type EngineOptions, startEngine } from "./engine.ts";
export { EngineUnsupportedError } from "./errors.ts";
export { type EngineSupport, engineSupport } from "./support.ts";
