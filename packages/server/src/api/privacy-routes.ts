/** Serves the public pages: what a product collects, or the list of products. */
import { createHash } from "node:crypto";
import { describePlan, type MeasuredAnonymity, PAGE_STYLE, type Plan, renderHtml } from "@candor/plan";
import { html, htmlDocument } from "@candor/plan/describe";
import type { FastifyInstance } from "fastify";
import { openPublicAnonymity } from "../reports/public-anonymity.ts";
import { makeSamples } from "../samples.ts";
import type { ApiDependencies } from "./dependencies.ts";
import { type Listed, listProducts, type ProductEntry } from "./product-routes.ts";
import { PRIVACY, PRIVACY_JSON } from "./schema.ts";

/**
 * The public page's Content-Security-Policy: the page cannot be framed, runs no script and loads nothing. Its
 * own style is allowed by its hash.
 */
export const PRIVACY_CSP = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(PAGE_STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** Adds a product's page. */
export function addPrivacyRoutes(app: FastifyInstance, dependencies: ApiDependencies): void {
  const { plan } = dependencies;
  const anonymity = openPublicAnonymity(dependencies);
  app.addHook("onClose", async () => anonymity.close());
  const pagesOf = createPrivacyPages();
  app.get("/privacy", { schema: PRIVACY }, (_request, reply) =>
    reply
      .header("Content-Security-Policy", PRIVACY_CSP)
      .type("text/html; charset=utf-8")
      .send(pagesOf(plan.current().plan, anonymity.last()).html),
  );
  app.get("/privacy.json", { schema: PRIVACY_JSON }, (_request, reply) =>
    reply
      .header("Access-Control-Allow-Origin", "*")
      .type("application/json; charset=utf-8")
      .send(pagesOf(plan.current().plan, anonymity.last()).json),
  );
}

/**
 * The public page as HTML, and the plan as JSON. Both are buffers, so that all waiting answers share one
 * copy.
 */
interface PrivacyPage {
  readonly html: Buffer;
  readonly json: Buffer;
}

/**
 * Creates a function that returns a plan's page. It renders the page again only if the plan or the measurement is
 * another one than before.
 */
function createPrivacyPages(): (plan: Plan, measured: MeasuredAnonymity | undefined) => PrivacyPage {
  type Made = {
    readonly plan: Plan;
    readonly measured: MeasuredAnonymity | undefined;
    readonly page: PrivacyPage;
  };
  let made: Made | undefined;
  return (plan, measured) => {
    if (made?.plan !== plan || made.measured !== measured) {
      const html = renderHtml(describePlan(plan, makeSamples(plan), measured));
      const page = { html: Buffer.from(html), json: Buffer.from(JSON.stringify(plan)) };
      made = { plan, measured, page };
    }
    return made.page;
  };
}

/** Adds `/privacy` and `/privacy.json`, which link to the page of each product. */
export function addPrivacyLists(app: FastifyInstance, products: readonly Listed[]): void {
  app.get("/privacy", { schema: PRIVACY }, (_request, reply) =>
    reply
      .header("Content-Security-Policy", PRIVACY_CSP)
      .type("text/html; charset=utf-8")
      .send(renderList(listProducts(products))),
  );
  app.get("/privacy.json", { schema: PRIVACY_JSON }, (_request, reply) =>
    reply.header("Access-Control-Allow-Origin", "*").send({
      products: listProducts(products).map((one) => ({ ...one, plan: `privacy/${one.name}.json` })),
    }),
  );
}

function renderList(products: readonly ProductEntry[]): string {
  const title = "What is collected";
  const body = html`<div class="frame">
<main id="content">
<header>
<h1>${title}</h1>
<div class="lead"><p>This collector receives telemetry of several products. Each has a page that says what is collected, and how to stop it.</p></div>
</header>
<ul>
${products.map(
  ({ name, product }) => html`<li><a href="privacy/${name}">${product}</a></li>
`,
)}</ul>
</main>
</div>`;
  return htmlDocument(title, PAGE_STYLE, body);
}
