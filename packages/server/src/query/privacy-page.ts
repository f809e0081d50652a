import { createHash } from "node:crypto";
import { describePlan, PAGE_STYLE, type Plan, renderHtml } from "@candor/plan";
import { makeSamples } from "../enforce/samples.ts";

/** What the public page and its JSON answer. Bytes, so that all answers that wait to be read share one copy. */
export interface PrivacyPage {
  readonly html: Buffer;
  readonly json: Buffer;
}

/** The page may be framed by nobody, runs no script, loads nothing; its own style is known by its hash. */
export const PRIVACY_CSP = `default-src 'none'; style-src 'sha256-${createHash("sha256").update(PAGE_STYLE).digest("base64")}'; frame-ancestors 'none'; base-uri 'none'; form-action 'none'`;

/** Gives the pages of a plan; made anew only when the plan is another. */
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
