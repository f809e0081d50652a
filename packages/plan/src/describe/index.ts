/** The entry point for code that renders pages: the public page, and others in its style. */
export { describePlan } from "./describe.ts";
export { colourJson, renderHtml } from "./html.ts";
export { type Html, html, htmlDocument } from "./html-tag.ts";
export { PAGE_STYLE } from "./style.ts";
