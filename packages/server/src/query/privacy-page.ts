/** Serves the public page of what is collected. */
import { createHash } from "node:crypto";
import { describePlan, PAGE_STYLE, type Plan, renderHtml } from "@candor/plan";
import { makeSamples } from "../enforce/samples.ts";

/** The public page and its JSON, as bytes, so that all waiting answers share one copy. */
export interface PrivacyPage {
  readonly html: Buffer;
  readonly json: Buffer;
}

/** The page cannot be framed, runs no script and loads nothing; its own style is allowed by its hash. */
export const PRIVACY_CSP = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(PAGE_STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** Returns the pages of a plan; makes them again only if the plan changed. */
export function createPrivacyPages(): (plan: Plan) => PrivacyPage {
  let made: { readonly plan: Plan; readonly page: PrivacyPage } | undefined;
  return (plan) => {
    if (made?.plan !== plan) {
      const html = renderHtml(describePlan(plan, makeSamples(plan)));
      made = { plan, page: { html: Buffer.from(html), json: Buffer.from(JSON.stringify(plan)) } };
    }
    return made.page;
  };
}
