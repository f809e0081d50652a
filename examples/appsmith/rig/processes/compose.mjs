// Stands in for docker-compose: runs the services of the product as processes of this machine.
// Usage: node compose.mjs IMAGES COMMAND [FLAGS] [SERVICE ...], in the product's folder.
import { spawn } from "node:child_process";
import { existsSync, mkdirSync, openSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { createServer } from "node:net";
import { join } from "node:path";
import { argv, cwd, env, execPath, kill } from "node:process";
import { setTimeout as sleep } from "node:timers/promises";

const WAIT_MS = 60_000;
const SERVICES = ["postgres", "appsmith-internal-server", "nginx"];
const HERE = import.meta.dirname;
const [images, command, ...words] = argv.slice(2);
const state = join(cwd(), ".processes");
const named = SERVICES.filter((service) => words.includes(service));
const chosen = named.length > 0 ? named : SERVICES;

const COMMANDS = {
  up: () => start(SERVICES.filter((service) => !isRunning(service))),
  start: () => start(chosen),
  stop: () => stop(chosen),
  rm: () => stop(chosen),
  restart: async () => {
    await stop(chosen);
    await start(chosen);
  },
  down: async () => {
    await stop(SERVICES);
    rmSync(state, { recursive: true });
  },
  logs: () => {
    for (const service of chosen) console.log(readFileSync(join(state, `${service}.log`), "utf8"));
  },
  exec: async () => {
    const { folder, settings } = describe("appsmith-internal-server");
    const options = { env: { ...env, ...settings }, stdio: "inherit" };
    const child = spawn(execPath, [join(folder, "health.mjs")], options);
    process.exitCode = await new Promise((resolve) => child.once("exit", resolve));
  },
};
mkdirSync(state, { recursive: true });
await COMMANDS[command]();

async function start(services) {
  const ports = await readPorts();
  const described = services.map((service) => ({ service, ...describe(service, ports) }));
  const missing = described.find(({ folder }) => !existsSync(folder));
  if (missing !== undefined) {
    console.error(`No such image: ${missing.folder}`);
    process.exit(1);
  }
  for (const { service, program, parameters, settings } of described) {
    const log = join(state, `${service}.log`);
    const output = openSync(log, "w");
    const child = spawn(execPath, ["--import", join(HERE, "clock.mjs"), program, ...parameters], {
      detached: true,
      stdio: ["ignore", output, output],
      env: settings,
    });
    child.unref();
    writeFileSync(
      join(state, `${service}.json`),
      JSON.stringify({ pid: child.pid, startedAtMs: Date.now() }),
    );
    await waitFor(() => / listens on port /.test(readFileSync(log, "utf8")) || child.exitCode !== null);
    if (child.exitCode !== null) process.exit(1);
  }
}

async function stop(services) {
  for (const service of [...services].reverse()) {
    if (!isRunning(service)) continue;
    const { pid } = readState(service);
    kill(pid, "SIGTERM");
    await waitFor(() => !isRunning(service)).catch(() => kill(pid, "SIGKILL"));
  }
}

/** How a service is run. `settings` is its whole environment: it inherits nothing else from this process. */
function describe(service, ports = readState("ports")) {
  const { APPSMITH_VERSION, APPSMITH_LISTEN } = readSettings(".env");
  const operators = readSettings("docker.env");
  const image = join(images, APPSMITH_VERSION);
  const { PATH, RIG_HOST, RIG_OWNER } = env;
  const common = { PATH, RIG_HOST, RIG_OWNER, HOSTNAME: RIG_HOST };
  if (service === "postgres") {
    const parameters = [join(state, "database"), String(ports.postgres), join(images, "postgres")];
    return { folder: HERE, program: join(HERE, "postgres.mjs"), parameters, settings: common };
  }
  if (service === "nginx") {
    const folder = join(image, "nginx");
    const parameters = [folder, APPSMITH_LISTEN, String(ports.server)];
    return { folder, program: join(HERE, "front.mjs"), parameters, settings: { ...common, ...operators } };
  }
  const folder = join(image, "server");
  const settings = {
    ...common,
    ...operators,
    NODE_ENV: "production",
    RIG_CLOCK: join(cwd(), "clock/ahead"),
    APPSMITH_VERSION,
    APPSMITH_PORT: String(ports.server),
    APPSMITH_DB_URL: operators.APPSMITH_DB_URL?.replace("@postgres:5432", `@127.0.0.1:${ports.postgres}`),
    APPSMITH_TELEMETRY_FOLDER: join(cwd(), "telemetry"),
  };
  return { folder, program: join(folder, "server.mjs"), parameters: [], settings };
}

function isRunning(service) {
  if (!existsSync(join(state, `${service}.json`))) return false;
  try {
    return kill(readState(service).pid, 0);
  } catch {
    return false;
  }
}

async function readPorts() {
  const file = join(state, "ports.json");
  if (!existsSync(file))
    writeFileSync(file, JSON.stringify({ server: await freePort(), postgres: await freePort() }));
  return readState("ports");
}

function freePort() {
  return new Promise((resolve) => {
    const server = createServer().listen(0, "127.0.0.1", () => {
      const { port } = server.address();
      server.close(() => resolve(port));
    });
  });
}

function readState(name) {
  return JSON.parse(readFileSync(join(state, `${name}.json`), "utf8"));
}

function readSettings(file) {
  const lines = existsSync(file) ? readFileSync(file, "utf8").split("\n") : [];
  const pairs = lines.map((line) => /^(\w+)=(.*)$/.exec(line)).filter((match) => match !== null);
  return Object.fromEntries(pairs.map(([, name, value]) => [name, value]));
}

async function waitFor(isTrue) {
  for (const deadlineMs = Date.now() + WAIT_MS; !isTrue(); await sleep(20))
    if (Date.now() > deadlineMs) throw new Error(`The command ${command} took too long.`);
}
