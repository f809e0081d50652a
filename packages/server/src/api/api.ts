/** Creates the HTTP server, and serves everything on it except the ingest API. */

import type { RequestListener, Server, ServerResponse } from "node:http";
import { splitUrl } from "@candor/envelope/http";
import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { CandorError, causeOf, invalidQuery } from "../errors.ts";
import { readForgetRequest } from "../forget/forget.ts";
import { readContacts } from "../query/contacts.ts";
import { countEvents, DEFAULT_LIMIT, MAX_LIMIT, readEvents } from "../query/events.ts";
import { readFilters } from "../query/filters.ts";
import { createMakerSql, readMakerSql } from "../query/maker-sql.ts";
import { sendError as sendJsonError } from "../request/answer.ts";
import { createClientErrorHandler, createHttpServer } from "../request/http-server.ts";
import { addDeclarationRoutes } from "./declaration-routes.ts";
import {
  type ApiDependencies,
  type OnRequest,
  type ProductDependencies,
  parametersOf,
  type ServerDependencies,
} from "./dependencies.ts";
import { createDoor } from "./door.ts";
import { addPrivacyLists, addPrivacyRoutes, PRIVACY_CSP } from "./privacy-routes.ts";
import { addProductsRoute } from "./product-routes.ts";
import { addPublicStatsRoutes } from "./public-stats-routes.ts";
import { addRebuildRoutes } from "./rebuild-routes.ts";
import { addReportRoutes } from "./report-routes.ts";
import * as schema from "./schema.ts";

/**
 * Creates the HTTP server, on which the ingest API and all other routes share one port. Closing the returned
 * instance closes the routes of all products.
 */
export async function createApi(
  server: ServerDependencies,
  products: readonly ProductDependencies[],
): Promise<FastifyInstance> {
  const { ingest } = server;
  const { countRefused } = server.meters;
  const onRequest = requireToken(server);
  const apps = new Map<string, FastifyInstance>();
  const serverFactory = (others: RequestListener): Server => {
    const refuse = (response: ServerResponse, error: unknown): void =>
      sendJsonError(response, refusalOf(error, server));
    return createHttpServer({ ingest, others: createDoor({ apps, others, refuse }), countRefused });
  };
  const [first, ...others] = products;
  if (first === undefined) throw new Error("a collector has at least one product");
  if (others.length === 0) {
    const app = await createApp(server, { serverFactory });
    addCommonRoutes(app, server, products, onRequest);
    addProductRoutes(app, { ...server, ...first }, onRequest);
    addDocument(app, () => app.swagger());
    apps.set(first.name, app);
    return app;
  }
  for (const product of products) {
    const app = await createApp(server, {});
    addProductRoutes(app, { ...server, ...product, isOneOfSeveral: true }, onRequest);
    await app.ready();
    apps.set(product.name, app);
  }
  const front = await createApp(server, { serverFactory });
  addCommonRoutes(front, server, products, onRequest);
  addPrivacyLists(front, products);
  addDocument(front, () => {
    const [ofProduct, common] = [apps.get(first.name)?.swagger(), front.swagger()];
    return { ...common, paths: { ...ofProduct?.paths, ...common.paths } };
  });
  front.addHook("onClose", async () => {
    for (const app of apps.values()) await app.close();
  });
  return front;
}

/** Creates an instance without routes. Only one with a `serverFactory` can listen. */
async function createApp(
  server: ServerDependencies,
  factory: { readonly serverFactory?: (others: RequestListener) => Server },
): Promise<FastifyInstance> {
  const app = fastify({
    routerOptions: { ignoreTrailingSlash: true },
    return503OnClosing: false,
    forceCloseConnections: false, // main.ts gives open requests time to end
    frameworkErrors: (error, _request, reply) => void sendError(reply, error, server),
    clientErrorHandler: createClientErrorHandler(server.meters.countRefused),
    ...factory,
  });
  await app.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false, // this server speaks plain HTTP; a TLS proxy sets the header
  });
  await app.register(swagger, { openapi: schema.OPENAPI });
  // The handlers validate parameters and bodies themselves, with their own messages. The schemas of
  // parameters and bodies are only documentation.
  app.setValidatorCompiler(() => () => true);
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, server));
  app.setNotFoundHandler((_request, reply) => sendError(reply, new CandorError("not_found"), server));
  app.addHook("onRequest", async (request) => {
    if (request.is404) throw toMissing(app, request); // before its body is read
  });
  return app;
}

/** Adds the OpenAPI document. It is made once, because anybody may ask for it at any rate. */
function addDocument(app: FastifyInstance, describe: () => object): void {
  let text: string | undefined;
  app.get("/api/openapi.json", { schema: schema.OPENAPI_DOCUMENT }, (_request, reply) => {
    text ??= JSON.stringify(describe());
    return reply.type("application/json; charset=utf-8").serializer(String).send(text);
  });
}

/** Adds the routes that are about no product. */
function addCommonRoutes(
  app: FastifyInstance,
  { meters, checkReady }: ServerDependencies,
  products: readonly ProductDependencies[],
  onRequest: OnRequest,
): void {
  app.get("/healthz", { schema: schema.HEALTH }, () => ({ status: "ok" }));
  app.get("/readyz", { schema: schema.READY }, async () => {
    await checkReady();
    return { status: "ready" };
  });
  app.get("/metrics", { schema: schema.METRICS }, async (_request, reply) => {
    const { contentType, body } = await meters.expose();
    return reply.type(contentType).send(body);
  });
  addProductsRoute(app, products, onRequest);
}

function addProductRoutes(app: FastifyInstance, dependencies: ApiDependencies, onRequest: OnRequest): void {
  addPrivacyRoutes(app, dependencies);
  if (dependencies.publicStats !== undefined)
    addPublicStatsRoutes(app, dependencies, dependencies.publicStats, PRIVACY_CSP);
  addEventRoutes(app, dependencies, onRequest);
  addMakerRoutes(app, dependencies, onRequest);
  addReportRoutes(app, dependencies, onRequest);
  addDeclarationRoutes(app, dependencies, onRequest);
  addRebuildRoutes(app, dependencies, onRequest);
}

/** Creates the check that a request has the admin token. */
function requireToken({ isAdminToken }: ServerDependencies): OnRequest {
  return async (request) => {
    const token = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined || !isAdminToken(token)) throw new CandorError("token_invalid");
  };
}

function addEventRoutes(
  app: FastifyInstance,
  { store, live, storedForms }: ApiDependencies,
  onRequest: OnRequest,
): void {
  app.get("/api/events", { schema: schema.EVENTS, onRequest }, async (request, reply) => {
    const parameters = parametersOf(request);
    const filters = readFilters(parameters, ["limit", "cursor"], storedForms);
    const page = await readEvents(
      store,
      filters,
      readLimit(parameters),
      parameters.get("cursor") ?? undefined,
    );
    return reply
      .type("application/json; charset=utf-8")
      .header("Cache-Control", "no-store")
      .serializer(String)
      .send(page);
  });
  app.get("/api/count", { schema: schema.COUNT, onRequest }, async (request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return { count: await countEvents(store, readFilters(parametersOf(request), [], storedForms)) };
  });
  app.get("/api/live", { schema: schema.LIVE, onRequest }, (request, reply) => {
    const filters = readFilters(parametersOf(request), [], storedForms);
    live.checkRoom();
    void reply.hijack();
    live.add(reply.raw, filters);
  });
}

function addMakerRoutes(app: FastifyInstance, dependencies: ApiDependencies, onRequest: OnRequest): void {
  const { store, forget } = dependencies;
  app.get("/api/contacts", { schema: schema.CONTACTS, onRequest }, async (request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return { contacts: await readContacts(store, readLimit(parametersOf(request))) };
  });
  const runSql = createMakerSql(store);
  app.post("/api/sql", { schema: schema.SQL, onRequest }, async (request, reply) => {
    const sql = readMakerSql(request.body);
    const result = await runSql(sql); // first, because a fault is not answered as the result is
    return reply
      .type(sql.format === "csv" ? "text/csv; charset=utf-8" : "application/x-ndjson; charset=utf-8")
      .header("Cache-Control", "no-store")
      .serializer(String)
      .send(result);
  });
  app.post("/api/forget", { schema: schema.FORGET, onRequest }, async (request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return forget(readForgetRequest(request.body));
  });
}

function readLimit(parameters: URLSearchParams): number {
  const text = parameters.get("limit") ?? String(DEFAULT_LIMIT);
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > MAX_LIMIT) {
    throw invalidQuery(`limit is a whole number from 1 to ${MAX_LIMIT}.`);
  }
  return limit;
}

/** Returns `method_not_allowed` for a path that accepts other methods, or else `not_found`. */
function toMissing(app: FastifyInstance, { url }: FastifyRequest): CandorError {
  const path = splitUrl(url)[0].replace(/(?<=.)\/$/, "");
  const allowed = ["GET", "HEAD", "POST"].filter((method) => app.findRoute({ method, url: path }) !== null);
  if (allowed.length === 0) return new CandorError("not_found");
  return new CandorError("method_not_allowed", { allow: allowed.join(", ") });
}

/** Turns what a route has thrown into an error for the client, and counts and reports it. */
function refusalOf(error: unknown, { onFault, meters }: ServerDependencies): CandorError {
  const known = toKnown(error);
  meters.countRefused(known.code);
  if (known.code === "internal") onFault(causeOf(error));
  if (known.code === "store_away") onFault(known.cause);
  return known;
}

function sendError(reply: FastifyReply, error: unknown, server: ServerDependencies): FastifyReply {
  const known = refusalOf(error, server);
  if (known.allow !== undefined) void reply.header("Allow", known.allow);
  if (known.retryAfterS !== undefined) void reply.header("Retry-After", known.retryAfterS);
  const { code, message } = known;
  return reply.status(known.status).send({ success: false, code, message, error: message });
}

/**
 * Converts any error to a CandorError. The text of fastify's own errors for a bad request is not used,
 * because it quotes the request.
 */
function toKnown(error: unknown): CandorError {
  if (error instanceof CandorError) return error;
  const status = error instanceof Error && "statusCode" in error ? Number(error.statusCode) : 500;
  if (status === 404 || (error instanceof Error && causeOf(error) === "FST_ERR_BAD_URL"))
    return new CandorError("not_found", {}, error);
  if (status >= 400 && status < 500)
    return new CandorError("body_unreadable", { why: "it is not JSON of a fitting size and type" }, error);
  return new CandorError("internal", {}, error);
}
