/** Defines the routes of the product's server. */
import { randomBytes } from "node:crypto";
import express, { type Express, type NextFunction, type Request, type Response } from "express";
import type { Database } from "./database.ts";
import { execute, isPluginId } from "./plugins.ts";
import type { ProductTelemetry } from "./telemetry.ts";

interface Person {
  readonly email: string;
  readonly isAdmin: boolean;
}

const MAX_SESSIONS = 10_000;
const COOKIE = /(?:^|; )session=([0-9a-f]{64})/;

/** Creates the routes. Telemetry adds two: the gateway for browsers, and the inspector for the admin. */
export function createApp(database: Database, telemetry: ProductTelemetry): Express {
  const sessions = new Map<string, Person>();
  const app = express();
  app.disable("x-powered-by");
  app.use("/telemetry", telemetry.gateway);
  app.get("/api/v1/health", async (_, response) => {
    response.sendStatus((await database.isHealthy()) ? 200 : 503);
  });
  app.use(express.json());

  const personOf = (request: Request): Person | undefined =>
    sessions.get(COOKIE.exec(request.headers.cookie ?? "")?.[1] ?? "");
  const signIn = (response: Response, person: Person): void => {
    const [oldest] = sessions.keys();
    if (sessions.size >= MAX_SESSIONS && oldest !== undefined) sessions.delete(oldest);
    const id = randomBytes(32).toString("hex");
    sessions.set(id, person);
    response.cookie("session", id, { httpOnly: true, sameSite: "strict" }).json({ email: person.email });
  };
  app.post("/api/v1/users", async (request, response) => {
    const { email, password } = readTexts(request, "email", "password");
    if (!(await database.addPerson(email, password))) return void response.sendStatus(409);
    const person = await database.findPerson(email, password);
    if (person !== undefined) signIn(response, person);
  });
  app.post("/api/v1/login", async (request, response) => {
    const { email, password } = readTexts(request, "email", "password");
    const person = await database.findPerson(email, password);
    if (person === undefined) response.sendStatus(401);
    else signIn(response, person);
  });

  app.use((request, response, next) => {
    if (personOf(request) === undefined) response.sendStatus(401);
    else next();
  });
  app.use("/admin/telemetry", (request, response, next) => {
    if (personOf(request)?.isAdmin) next();
    else response.sendStatus(403);
  });
  app.use("/admin/telemetry", telemetry.inspector);
  app.get("/api/v1/applications", async (_, response) => {
    response.json(await database.applications());
  });
  app.post("/api/v1/applications", async (request, response) => {
    response.json(await database.addApplication(readTexts(request, "name").name));
  });
  app.post("/api/v1/datasources", async (request, response) => {
    const { application, name, plugin, url } = readTexts(request, "application", "name", "plugin", "url");
    if (!isPluginId(plugin)) throw new BadRequest("plugin: write `postgres` or `rest`.");
    response.json({ id: await database.addDatasource(application, name, plugin, url) });
  });
  app.get("/api/v1/pages/:page/actions", async (request, response) => {
    response.json(await database.actionsOf(request.params.page));
  });
  app.post("/api/v1/actions", async (request, response) => {
    const { page, datasource, name, body } = readTexts(request, "page", "datasource", "name", "body");
    response.json({ id: await database.addAction(page, datasource, name, body) });
  });
  app.post("/api/v1/actions/:action/execute", async (request, response) => {
    const action = await database.findAction(request.params.action);
    if (action === undefined) return void response.sendStatus(404);
    const { parameters, mode } = request.body as { parameters?: unknown; mode?: unknown };
    const execution = await execute(action, Array.isArray(parameters) ? parameters : []);
    const email = personOf(request)?.email ?? "";
    telemetry.reportAction(action, execution, { email, mode: mode === "view" ? "view" : "edit" });
    response.json(execution);
  });
  app.use((error: unknown, _: Request, response: Response, next: NextFunction) => {
    if (response.headersSent) return next(error);
    const isBad = error instanceof BadRequest;
    if (!isBad) console.error(error instanceof Error ? error.message : "A request failed.");
    response.status(isBad ? 400 : 500).json({ error: isBad ? error.message : "The server failed." });
  });
  return app;
}

class BadRequest extends Error {}

/** Reads strings from a request's JSON. @throws BadRequest if one is missing or empty */
function readTexts<Name extends string>(request: Request, ...names: Name[]): Record<Name, string> {
  const body = (request.body ?? {}) as Record<string, unknown>;
  const texts = names.map((name) => {
    const text = body[name];
    if (typeof text !== "string" || text === "") throw new BadRequest(`${name}: write a text.`);
    return [name, text];
  });
  return Object.fromEntries(texts) as Record<Name, string>;
}
