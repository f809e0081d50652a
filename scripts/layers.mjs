// Defines the layers of each package: what a folder or file may import from its own package. `npm run docs`
// writes the layers to layers.biome.json, whose rules `npm run check` and editors apply. Imports from other
// packages are governed by package.json.

/**
 * The layers by package, lowest first, each with the layers that it may import. A folder's name ends in `/`.
 * Tests, rigs and unlisted files may import everything.
 */
export const LAYERS = {
  "packages/server/src": {
    errors: [],
    config: ["errors"],
    reasons: [],
    "log/": ["errors"],
    "privacy/": ["errors", "log/"],
    "enforce/": ["config", "errors"],
    row: ["config", "reasons"],
    pipeline: ["config", "reasons", "log/", "enforce/", "row"],
    samples: ["privacy/", "enforce/", "pipeline"],
    meters: ["config", "errors", "reasons", "enforce/", "pipeline"],
    "store/": ["config", "errors", "log/", "enforce/", "row", "meters"],
    "forget/": ["errors", "log/", "row", "store/"],
    "query/": ["config", "errors", "reasons", "privacy/", "enforce/", "row", "store/"],
    "reports/": ["errors", "privacy/", "enforce/", "store/"],
    "formats/": [],
    "instance/": ["errors", "log/", "store/", "forget/", "query/"],
    "request/": ["config", "errors", "log/", "pipeline", "meters", "instance/"],
    "api/": [
      ...["config", "errors", "reasons", "privacy/", "enforce/", "pipeline", "samples", "meters"],
      ...["store/", "forget/", "query/", "reports/", "formats/", "request/http-server", "request/answer"],
    ],
  },
  "packages/node/src": {
    clock: [],
    reasons: [],
    "http/": ["clock"],
    scope: [],
    "state/": ["generated-plan", "scope"],
    "outbox/": ["scope", "state/"],
    "consent/": ["reasons", "settings", "scope", "state/"],
    "send/": ["clock", "http/", "scope", "state/", "outbox/", "consent/"],
    "silence/": [],
  },
  "packages/plan/src": { "runtime/": ["plan"] },
  "packages/browser/src": {
    plan: [],
    storage: [],
    gate: ["plan", "storage"],
    sender: ["gate"],
    outbox: ["storage", "gate", "sender"],
    capture: ["plan"],
    client: ["plan", "storage", "gate", "outbox", "capture"],
    "consent-prompt": ["client"],
    "web-vitals": ["client"],
  },
};

/** The layers as a Biome configuration, which biome.json extends. */
export function layersConfig() {
  const overrides = Object.entries(LAYERS).flatMap(([base, layers]) =>
    Object.entries(layers).map(([layer, below]) => toOverride(base, layer, below)),
  );
  return { overrides };
}

function toOverride(base, layer, below) {
  const isFolder = layer.endsWith("/");
  const up = isFolder ? "../" : "./";
  const allowed = below.map((name) => `!${up}${name.endsWith("/") ? `${name}**` : `${name}.ts`}`);
  const what = below.length === 0 ? "nothing" : below.join(", ");
  const message = `${layer} may import ${what} of its package: see scripts/layers.mjs.`;
  const includes = isFolder
    ? [`${base}/${layer}**`, "!**/*.test.ts", "!**/*.contract.ts", "!**/rig/**"]
    : [`${base}/${layer}.ts`];
  const options = { patterns: [{ group: [`${up}**`, ...allowed], message }] };
  return { includes, linter: { rules: { style: { noRestrictedImports: { level: "error", options } } } } };
}
