/** Lists the products for the maker. */
import type { FastifyInstance } from "fastify";
import { Type } from "typebox";
import type { OnRequest, ProductDependencies } from "./dependencies.ts";
import { FAULTS, SECURED } from "./schema.ts";

export type Listed = Pick<ProductDependencies, "name" | "plan">;

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

export interface ProductEntry {
  /** Its name in addresses. */
  readonly name: string;
  /** Its name for people. */
  readonly product: string;
  readonly planVersion: number;
}

export const listProducts = (products: readonly Listed[]): readonly ProductEntry[] =>
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
    return { products: listProducts(products) };
  });
}
