/** The entry point for code that describes plans. */
export { describePlan } from "./describe.ts";
export { colourJson, renderHtml } from "./html.ts";
export { type Html, html, htmlDocument } from "./html-tag.ts";
export { PAGE_STYLE } from "./style.ts";
