import { createServer, type IncomingMessage, type Server, type ServerResponse } from "node:http";
import helmet from "@fastify/helmet";
import swagger from "@fastify/swagger";
import { type FastifyInstance, type FastifyReply, type FastifyRequest, fastify } from "fastify";
import { CandorError, causeOf } from "../errors.ts";
import type { Meters } from "../meters.ts";
import { splitUrl } from "../request/route.ts";
import type { Store } from "../store/client.ts";
import { countEvents, DEFAULT_LIMIT, MAX_LIMIT, readEvents } from "./events.ts";
import { readFilters } from "./filters.ts";
import type { LiveFeed } from "./live.ts";
import * as schema from "./schema.ts";

export interface ApiDependencies {
  readonly store: Store;
  readonly live: LiveFeed;
  readonly meters: Meters;
  readonly isAdminToken: (token: string) => boolean;
  /** Rejects with the reason when messages cannot be accepted durably now. */
  readonly checkReady: () => Promise<void>;
  /** Answers what is below `/v1/` beside fastify, on the bare server (docs/decisions/0004-ingest-beside-fastify.md). */
  readonly ingest: (request: IncomingMessage, response: ServerResponse) => Promise<void>;
  readonly onFault: (error: unknown) => void;
}

/** The HTTP server: the ingest API and the read API on one port. */
export async function createApi(dependencies: ApiDependencies): Promise<FastifyInstance> {
  const app = fastify({
    routerOptions: { ignoreTrailingSlash: true },
    return503OnClosing: false,
    forceCloseConnections: false, // requests under way end first, main.ts sees to that
    serverFactory: (handler) => createHttpServer(handler, dependencies.ingest),
  });
  await app.register(helmet, {
    contentSecurityPolicy: { directives: { defaultSrc: ["'none'"], frameAncestors: ["'none'"] } },
    strictTransportSecurity: false, // this server speaks plain HTTP; a proxy that speaks TLS sets it
  });
  await app.register(swagger, { openapi: schema.OPENAPI });
  app.setValidatorCompiler(() => () => true); // filters.ts judges, with messages of its own; the schemas document
  app.setErrorHandler((error, _request, reply) => sendError(reply, error, dependencies));
  app.setNotFoundHandler((_request, reply) => sendError(reply, new CandorError("not_found"), dependencies));
  addPublicRoutes(app, dependencies);
  addAdminRoutes(app, dependencies);
  return app;
}

/** Slow clients are closed: headers have 10 s, a whole request has 20 s. */
function createHttpServer(
  handler: (request: IncomingMessage, response: ServerResponse) => void,
  ingest: ApiDependencies["ingest"],
): Server {
  const options = {
    headersTimeout: 10_000,
    requestTimeout: 20_000,
    keepAliveTimeout: 65_000,
    connectionsCheckingInterval: 1000,
  };
  return createServer(options, (request, response) => {
    if (request.url?.startsWith("/v1/")) void ingest(request, response);
    else handler(request, response);
  });
}

function addPublicRoutes(app: FastifyInstance, { meters, checkReady }: ApiDependencies): void {
  app.get("/healthz", { schema: schema.HEALTH }, () => ({ status: "ok" }));
  app.get("/readyz", { schema: schema.READY }, async () => {
    await checkReady();
    return { status: "ready" };
  });
  app.get("/metrics", { schema: schema.METRICS }, async (_request, reply) => {
    const { contentType, body } = await meters.expose();
    return reply.type(contentType).send(body);
  });
  app.get("/api/openapi.json", { schema: schema.OPENAPI_DOCUMENT }, () => app.swagger());
}

function addAdminRoutes(app: FastifyInstance, dependencies: ApiDependencies): void {
  const { store, live } = dependencies;
  const onRequest = async (request: FastifyRequest): Promise<void> => {
    const token = /^bearer\s+(\S+)\s*$/i.exec(request.headers.authorization ?? "")?.[1];
    if (token === undefined || !dependencies.isAdminToken(token)) throw new CandorError("token_invalid");
  };
  app.get("/api/events", { schema: schema.EVENTS, onRequest }, async (request, reply) => {
    const parameters = parametersOf(request);
    const filters = readFilters(parameters, ["limit", "cursor"]);
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
    return { count: await countEvents(store, readFilters(parametersOf(request), [])) };
  });
  app.get("/api/live", { schema: schema.LIVE, onRequest }, (request, reply) => {
    const filters = readFilters(parametersOf(request), []);
    void reply.hijack();
    live.add(reply.raw, filters);
  });
}

function parametersOf(request: FastifyRequest): URLSearchParams {
  return new URLSearchParams(splitUrl(request.raw.url ?? "")[1]);
}

function readLimit(parameters: URLSearchParams): number {
  const text = parameters.get("limit") ?? String(DEFAULT_LIMIT);
  const limit = Number(text);
  if (!/^\d+$/.test(text) || limit < 1 || limit > MAX_LIMIT) {
    throw new CandorError("query_invalid", { why: `limit is a whole number from 1 to ${MAX_LIMIT}.` });
  }
  return limit;
}

function sendError(reply: FastifyReply, error: unknown, { onFault }: ApiDependencies): FastifyReply {
  const known = error instanceof CandorError ? error : new CandorError("internal", {}, error);
  if (known.code === "internal") onFault(causeOf(error));
  if (known.code === "store_away") onFault(known.cause);
  if (known.retryAfterS !== undefined) void reply.header("Retry-After", known.retryAfterS);
  const { code, message } = known;
  return reply.status(known.status).send({ success: false, code, message, error: message });
}
