/** Finds the product that a request is about, and passes the request to that product's routes. */
import type { IncomingMessage, ServerResponse } from "node:http";
import { splitUrl } from "@candor/envelope/http";
import type { FastifyInstance } from "fastify";
import { invalidQuery } from "../errors.ts";

type Handler = (request: IncomingMessage, response: ServerResponse) => void;

export interface DoorOptions {
  /** The routes of each product, by the product's name. */
  readonly apps: ReadonlyMap<string, FastifyInstance>;
  /** Answers a request that is about no product, or about the only one. */
  readonly others: Handler;
  /** Answers with an error. */
  readonly refuse: (response: ServerResponse, error: unknown) => void;
}

/** Paths below `/api/` that are about no product. */
const COMMON_PATHS: ReadonlySet<string> = new Set(["/api/openapi.json", "/api/products"]);

/**
 * Creates the handler of all requests except those of the ingest API. With several products, a request below `/api/`
 * names its product in the parameter `product`, and the public pages are `/privacy/NAME` and `/stats/NAME`. A
 * product's routes do not see the name.
 */
export function createDoor({ apps, others, refuse }: DoorOptions): Handler {
  return (request, response) => {
    const [path, query] = splitUrl(request.url ?? "");
    const [, page = "", name = "", ending = ""] =
      /^\/(privacy|stats)\/([a-z0-9-]+)(\.json|\.svg)?\/?$/.exec(path) ?? [];
    const named = apps.size > 1 || page === "privacy" ? apps.get(name) : undefined;
    if (named !== undefined) return pass(named, `/${page}${ending}`, request, response);
    if (!path.startsWith("/api/") || COMMON_PATHS.has(path)) return others(request, response);
    const parameters = new URLSearchParams(query);
    const [product, ...more] = parameters.getAll("product");
    if (product === undefined && apps.size === 1) return others(request, response);
    const app = more.length === 0 ? apps.get(product ?? "") : undefined;
    if (app === undefined) {
      const names = [...apps.keys()].join(", ");
      const words = `Name one product: product=NAME, or --product NAME. The products are ${names}.`;
      return refuse(response, invalidQuery(words));
    }
    parameters.delete("product");
    pass(app, `${path}?${parameters}`, request, response);
  };
}

function pass(app: FastifyInstance, url: string, request: IncomingMessage, response: ServerResponse): void {
  request.url = url;
  app.routing(request, response);
}
