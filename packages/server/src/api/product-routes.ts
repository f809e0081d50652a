/** Lists the products: for the maker, and as a public page if there are several. */
import { html, htmlDocument, PAGE_STYLE } from "@candor/plan/describe";
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { OnRequest, ProductDependencies } from "./dependencies.ts";
import { FAULTS, PRIVACY, PRIVACY_JSON, SECURED } from "./schema.ts";

type Listed = Pick<ProductDependencies, "name" | "plan">;

const PRODUCTS = {
  summary: "The products of this collector, whose names are values of the parameter `product`",
  security: SECURED,
  response: {
    200: Type.Object({
      products: Type.Array(
        Type.Object({ name: Type.String(), product: Type.String(), planVersion: Type.Integer() }),
      ),
    }),
    ...FAULTS,
  },
};

interface ProductEntry {
  /** Its name in addresses. */
  readonly name: string;
  /** Its name for people. */
  readonly product: string;
  readonly planVersion: number;
}

const listAll = (products: readonly Listed[]): readonly ProductEntry[] =>
  products.map(({ name, plan }) => {
    const { product, version } = plan.current().plan;
    return { name, product, planVersion: version };
  });

export function addProductsRoute(
  app: FastifyInstance,
  products: readonly Listed[],
  onRequest: OnRequest,
): void {
  app.get("/api/products", { schema: PRODUCTS, onRequest }, (_request, reply) => {
    void reply.header("Cache-Control", "no-store");
    return { products: listAll(products) };
  });
}

/** Adds `/privacy` and `/privacy.json`, which link to the page of each product. @param csp the policy of the page */
export function addPrivacyLists(app: FastifyInstance, products: readonly Listed[], csp: string): void {
  app.get("/privacy", { schema: PRIVACY }, (_request, reply) =>
    reply
      .header("Content-Security-Policy", csp)
      .type("text/html; charset=utf-8")
      .send(renderList(listAll(products))),
  );
  app.get("/privacy.json", { schema: PRIVACY_JSON }, (_request, reply) =>
    reply
      .header("Access-Control-Allow-Origin", "*")
      .send({ products: listAll(products).map((one) => ({ ...one, plan: `privacy/${one.name}.json` })) }),
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
