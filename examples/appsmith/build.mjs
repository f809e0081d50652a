// Builds the example product into `dist/release`: the installer's folder, and the contexts of its two images.
// Usage: node examples/appsmith/build.mjs [--version 2.0.0] [--plan FILE] [--out FOLDER], after `npm run build`.
import { execFileSync } from "node:child_process";
import { cpSync, mkdirSync, rmSync, writeFileSync } from "node:fs";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";
import { parseArgs } from "node:util";
import { rolldown } from "rolldown";

const here = dirname(fileURLToPath(import.meta.url));
const root = join(here, "..", "..");
const { values } = parseArgs({
  options: {
    version: { type: "string", default: "2.0.0" },
    plan: { type: "string", default: join(root, "plans", "appsmith.yaml") },
    out: { type: "string", default: join(here, "dist", "release") },
  },
});
const folder = (...names) => {
  const path = join(values.out, ...names);
  mkdirSync(path, { recursive: true });
  return path;
};
const generate = (language) =>
  execFileSync(process.execPath, [
    join(root, "packages/cli/bin/candor.js"),
    "generate",
    language,
    values.plan,
  ]);

rmSync(values.out, { recursive: true, force: true });
const server = folder("server");
const bundle = await rolldown({
  input: join(here, "dist/server/main.js"),
  platform: "node",
  external: ["pg-native"],
  logLevel: "silent",
});
await bundle.write({ file: join(server, "server.mjs"), format: "esm", codeSplitting: false });
await bundle.close();
writeFileSync(join(server, "plan.mjs"), generate("js"));
cpSync(join(here, "docker/health.mjs"), join(server, "health.mjs"));
cpSync(join(here, "docker/server.Dockerfile"), join(server, "Dockerfile"));

const nginx = folder("nginx");
cpSync(join(here, "client"), join(nginx, "client"), { recursive: true });
cpSync(
  fileURLToPath(import.meta.resolve("@candor/browser/candor.iife.js")),
  join(folder("nginx", "candor"), "candor.iife.js"),
);
cpSync(join(here, "docker/default.conf.template"), join(nginx, "default.conf.template"));
cpSync(join(here, "docker/nginx.Dockerfile"), join(nginx, "Dockerfile"));

const installer = folder("installer");
for (const name of ["install.sh", "docker-compose.yml"]) cpSync(join(here, name), join(installer, name));
cpSync(join(root, "packages/installer/candor.sh"), join(installer, "candor.sh"));
writeFileSync(join(installer, "table.sh"), generate("sh"));
const { TELEMETRY_URL = "", INSTALLER_KEY = "", SERVER_KEY = "", CLIENT_KEY = "" } = process.env;
writeFileSync(
  join(installer, "release.env"),
  `APPSMITH_VERSION=${values.version}
APPSMITH_TELEMETRY_URL=${TELEMETRY_URL}
APPSMITH_TELEMETRY_INSTALLER_KEY=${INSTALLER_KEY}
APPSMITH_TELEMETRY_SERVER_KEY=${SERVER_KEY}
APPSMITH_TELEMETRY_CLIENT_KEY=${CLIENT_KEY}
`,
);
console.log(values.out);
