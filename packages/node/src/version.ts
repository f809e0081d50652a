/** Owns the SDK's version, which `scripts/version.mjs` sets from the root's package.json. */
export const VERSION = "0.1.0";
