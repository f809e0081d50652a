/** Finds the products that the collector serves, one for each plan, and where the data of each is kept. */
import { existsSync, readdirSync, readFileSync, statSync } from "node:fs";
import { join } from "node:path";
import type { Plan } from "@candor/plan";
import { readPlan } from "./enforce/plan-in-force.ts";
import { CandorError } from "./errors.ts";
import { writeFileDurably } from "./log/disk.ts";
import { DATABASES, type Databases } from "./store/client.ts";

/** A product, as its plan describes it. */
export interface Product {
  /**
   * Its name in addresses, settings and options: the plan's `product` in lower case, with "-" in place of
   * everything but a to z and digits.
   */
  readonly name: string;
  readonly planFile: string;
  readonly plan: Plan;
}

/** A product, and where its data is kept. No two products share a folder or a database. */
export interface PlacedProduct extends Product {
  readonly dir: string;
  readonly databases: Databases;
}

/** Limits the number of products, because each has a thread, files and tables of its own. */
const MAX_PRODUCTS = 16;

/** The file in the data folder that names the product whose data is directly in that folder. */
const FIRST_FILE = "product";
/** The folder in the data folder that has a folder for each of the other products. */
const OTHERS_DIR = "products";

/**
 * Reads the plans, and returns their products in order.
 * @param paths of files, or of folders in which every .yaml or .yml file is a plan
 * @throws CandorError `plan_unreadable`, `plan_invalid`, `plans_missing`, `product_unnamed`, `product_twice`,
 * `too_many_products`
 */
export function readProducts(paths: readonly string[]): Product[] {
  const files = listPlanFiles(paths);
  if (files.length > MAX_PRODUCTS)
    throw new CandorError("too_many_products", { count: files.length, limit: MAX_PRODUCTS });
  const products = new Map<string, Product>();
  for (const planFile of files) {
    const plan = readPlan(planFile);
    const name = toName(plan.product);
    if (name === "") throw new CandorError("product_unnamed", { file: planFile });
    const other = products.get(name)?.planFile;
    if (other !== undefined) throw new CandorError("product_twice", { file: planFile, other, name });
    products.set(name, { name, planFile, plan });
  }
  return [...products.values()];
}

/**
 * Returns the files of the plans, with each folder's files in the order of their names.
 * @throws CandorError `plans_missing`
 */
export function listPlanFiles(paths: readonly string[]): string[] {
  return paths.flatMap((path) => {
    if (statSync(path, { throwIfNoEntry: false })?.isDirectory() !== true) return [path];
    const files = readdirSync(path).filter((file) => /\.ya?ml$/.test(file));
    if (files.length === 0) throw new CandorError("plans_missing", { folder: path });
    return files.sort().map((file) => join(path, file));
  });
}

function toName(product: string): string {
  return product
    .toLowerCase()
    .replace(/[^a-z0-9]+/g, "-")
    .replace(/^-|-$/g, "");
}

/**
 * Decides where the data of each product is, and records it, so that a product keeps its place when others are
 * added, removed or listed in another order. The first product that a data folder has served is directly in it;
 * each other product has a folder and a database of its own. A product that has always been the only one may be
 * renamed.
 * @returns the products, the one directly in the data folder first
 * @throws CandorError `product_missing`, `data_folder_unwritable`
 */
export function placeProducts(dataDir: string, products: readonly Product[]): PlacedProduct[] {
  const recorded = readFirstProduct(dataDir);
  const isAlone = products.length === 1 && !existsSync(join(dataDir, OTHERS_DIR));
  const first = isAlone || recorded === undefined ? products[0]?.name : recorded;
  const own = products.find(({ name }) => name === first);
  if (own === undefined) throw new CandorError("product_missing", { folder: dataDir, name: first ?? "" });
  if (own.name !== recorded) writeFileDurably(join(dataDir, FIRST_FILE), `${own.name}\n`);
  const others = products.filter((product) => product !== own);
  return [
    { ...own, dir: dataDir, databases: DATABASES },
    ...others.map((product) => ({
      ...product,
      dir: join(dataDir, OTHERS_DIR, product.name),
      databases: databasesOf(product.name),
    })),
  ];
}

function databasesOf(name: string): Databases {
  const suffix = name.replaceAll("-", "_");
  return { local: `candor_product_${suffix}`, spanning: `candor_all_product_${suffix}` };
}

/** Returns the folders of all products that the data folder has served. */
export function listProductDirs(dataDir: string): string[] {
  const others = join(dataDir, OTHERS_DIR);
  return [dataDir, ...(existsSync(others) ? readdirSync(others).map((name) => join(others, name)) : [])];
}

/** Returns the name of the product whose data is directly in the data folder; undefined before the first start. */
export function readFirstProduct(dataDir: string): string | undefined {
  const file = join(dataDir, FIRST_FILE);
  return existsSync(file) ? readFileSync(file, "utf8").trim() : undefined;
}
