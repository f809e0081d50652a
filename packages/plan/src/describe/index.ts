export { describePlan } from "./describe.ts";
export { colourJson, escapeHtml, renderHtml } from "./html.ts";
export { PAGE_STYLE } from "./style.ts";
