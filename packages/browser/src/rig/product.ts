/** For tests: a product with pages, its real gateway, and a record of every request to the gateway. */
import { readFileSync } from "node:fs";
import { createServer, type IncomingMessage, type ServerResponse } from "node:http";
import type { AddressInfo } from "node:net";
import { hashPlan, loadPlan } from "@candor/plan";
import { onTestFinished } from "vitest";
import type { GatewayOptions } from "../../../node/src/gateway/options.ts";
import { openForTest, type World } from "../../../node/src/rig/in-process.ts";

/** A text that no message may contain. Every page has it in its title, texts, values and addresses. */
export const SECRET = "planted-7f3a";
const ON = { APPSMITH_DISABLE_TELEMETRY: "false", APPSMITH_CLIENT_TELEMETRY: "yes" };

export interface Recorded {
  readonly method: string;
  readonly path: string;
  readonly cookie: string;
  readonly body: string;
}

export interface ProductOptions {
  readonly environment?: Readonly<Record<string, string>>;
  readonly gateway?: Partial<GatewayOptions>;
  /** Changes the text of the reference plan. */
  readonly plan?: (text: string) => string;
  /** The URL of the collector, if messages have to reach one. */
  readonly host?: string;
  readonly writeKey?: string;
  readonly stateDir?: string;
  /** Called before the gateway, and may answer a request in its place. @returns whether it has answered */
  readonly before?: (request: IncomingMessage, response: ServerResponse) => boolean | Promise<boolean>;
}

export interface Product extends Pick<World, "core" | "messages"> {
  /** Restarts the product with the same state folder and a plan whose text was changed. */
  readonly grow: (plan: (text: string) => string) => void;
  readonly url: string;
  /** The gateway's path. */
  readonly mount: string;
  /** Sends all waiting messages to the collector. */
  readonly flush: () => Promise<boolean>;
  /** Requests to the gateway, in order. */
  readonly requests: Recorded[];
  /**
   * Returns the address of a page.
   * @param options for `candor.init`, besides the endpoint
   * @param setup keys of SETUPS in page.js, separated by commas
   */
  readonly page: (path: string, options?: object, setup?: string) => string;
}

const file = (path: string) => readFileSync(new URL(path, import.meta.url), "utf8");
let products = 0;

function openGateway(options: ProductOptions) {
  const { environment = ON, gateway, plan = (text) => text, before: _, ...more } = options;
  const loaded = loadPlan(plan(file("../../../../plans/appsmith.yaml")), "appsmith.yaml");
  const content = JSON.parse(JSON.stringify(loaded));
  const world = openForTest({ plan: { hash: hashPlan(loaded), content }, environment, ...more });
  return { ...world, gateway: world.telemetry.gateway({ writeKey: "client_key", ...gateway }) };
}

/** Opens a product on its own port, and closes it after the test. */
export async function openProduct(options: ProductOptions = {}): Promise<Product> {
  const { before } = options;
  let current = openGateway(options);
  products += 1;
  const mount = `/telemetry${products}`; // all ports of a host share its cookies
  const requests: Recorded[] = [];
  const server = createServer((request, response) => {
    const { method = "", url = "", headers } = request;
    if (!url.startsWith(mount)) return sendPage(url, mount, response);
    const record = { method, path: url.slice(mount.length), cookie: headers.cookie ?? "", body: "" };
    requests.push(record);
    const go = (isAnswered: boolean): void => {
      request.on("data", (chunk) => {
        record.body += String(chunk);
      });
      if (!isAnswered) current.gateway(request, response);
    };
    const answered = before?.(request, response) ?? false;
    if (typeof answered === "boolean") go(answered);
    else void answered.then(go);
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  const url = `http://127.0.0.1:${(server.address() as AddressInfo).port}`;
  return {
    get core() {
      return current.core;
    },
    messages: () => current.messages(),
    flush: () => current.telemetry.flush(),
    grow: (plan) => {
      current.core.close();
      current = openGateway({ ...options, plan, stateDir: current.dir });
    },
    url,
    mount,
    requests,
    page: (path, init = {}, setup = "") => {
      const query = new URLSearchParams({ init: JSON.stringify(init), setup, token: SECRET });
      return `${url}${path}?${query}`;
    },
  };
}

/** The strictest content security policy that a product could have. The SDK has to work under it. */
const POLICY = [
  "default-src 'none'; script-src 'self'; connect-src 'self'; img-src data:; base-uri 'none'",
  "require-trusted-types-for 'script'; trusted-types 'none'",
].join("; ");

function sendPage(url: string, mount: string, response: ServerResponse): void {
  const [path = ""] = url.split("?");
  response.setHeader("Content-Security-Policy", POLICY);
  response.setHeader("Cache-Control", "no-cache");
  const script = {
    "/candor.js": "../../dist/candor.iife.js",
    "/prompt.js": "../../dist/candor-consent.js",
    "/vitals.js": "../../dist/candor-web-vitals.js",
    "/page.js": "page.js",
  }[path];
  response.setHeader("Content-Type", script === undefined ? "text/html; charset=utf-8" : "text/javascript");
  response.end(script === undefined ? htmlOf(mount, url.includes("setup=twice")) : file(script));
}

function htmlOf(mount: string, isTwice: boolean): string {
  const { "candor.iife.js": integrity } = JSON.parse(file("../../dist/integrity.json"));
  const scripts = `<script src="/candor.js" integrity="${integrity}"></script><script src="/page.js" data-run></script>`;
  return `<!doctype html><html lang="en"><meta charset="utf-8"><title>${SECRET}</title><link rel="icon" href="data:,">
<script src="/page.js" data-endpoint="${mount}"></script>
${isTwice ? scripts : ""}${scripts}<script src="/prompt.js" type="module"></script>
<h1>${SECRET}</h1>
<a id="login" href="/user/login?token=${SECRET}#${SECRET}">${SECRET}</a>
<button id="deploy" data-telemetry="DEPLOY_CLICK">${SECRET}</button>
<button id="connect" data-telemetry="CREATE_DATASOURCE_CLICK" data-telemetry-plugin-type="DB" data-telemetry-secret="${SECRET}"><i id="inner">${SECRET}</i></button>
<a id="fork" href="/user/signup" target="_blank" data-telemetry="FORK_APPLICATION_CLICK">${SECRET}</a>
<a id="held" href="/user/signup" data-telemetry="EDIT_APPLICATION_CLICK">${SECRET}</a>
<button id="unnamed">${SECRET}</button> <button id="undeclared" data-telemetry="${SECRET}">${SECRET}</button>
<form><input id="field" name="${SECRET}" value="${SECRET}"></form>
<candor-consent></candor-consent>`;
}
