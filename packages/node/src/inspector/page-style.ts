/** Owns what the inspector's page needs beyond the style of the plan's page. */
export const OWN_STYLE = `
.inspector { max-width: 60rem; margin: 0 auto; padding: 0 1.25rem 4rem; }
.inspector header { max-width: none; }
.inspector h1 { font-size: clamp(1.75rem, 1.3rem + 2vw, 2.5rem); overflow-wrap: anywhere; }
.inspector section.plain { padding-top: 2.5rem; }
.inspector header .facts > div { grid-template-columns: 9rem minmax(0, 1fr); }
.inspector time { white-space: nowrap; }
.state { font-size: 1.1875rem; line-height: 1.5; padding: 0.75rem 1rem; border-radius: 8px; border-left: 4px solid var(--soft); background: var(--sunken); }
.state.on { border-left-color: var(--accent); background: var(--technical-ground); }
.state.log { border-left-color: var(--content); background: var(--content-ground); }
.badge.sent { color: var(--technical); background: var(--technical-ground); }
.badge.waiting { color: var(--content); background: var(--content-ground); }
.sources { display: grid; gap: 1rem; grid-template-columns: repeat(auto-fit, minmax(min(100%, 17rem), 1fr)); margin-top: 1rem; }
.source { border: 1px solid var(--rule); border-radius: 12px; background: var(--card); padding: 1rem 1.25rem; font-size: 0.9375rem; }
.source .head { margin-bottom: 0.5rem; }
.source p, .source details { margin: 0 0 0.625rem; }
.source .stored { color: var(--soft); }
.source ul { margin: 0.375rem 0 0; }
.source li { margin: 0; }
.source li code { background: none; padding: 0; }
form { margin: 0 0 0.625rem; }
.choices { display: flex; flex-wrap: wrap; gap: 0.625rem; }
.choices form { margin: 0; }
.receipt { max-width: 32rem; margin-bottom: 0.75rem; }
button { font: 600 0.9375rem/1.4 var(--sans); padding: 0.5rem 1rem; border-radius: 8px; border: 1px solid var(--soft); background: none; color: var(--text); cursor: pointer; text-align: left; }
button:hover { text-decoration: underline; text-underline-offset: 0.2em; }
summary { cursor: pointer; }
.messages { border: 1px solid var(--rule); border-radius: 10px; background: var(--card); overflow: hidden; }
.messages details + details { border-top: 1px solid var(--rule); }
.messages summary { padding: 0.5rem 1rem; font-size: 0.875rem; overflow-wrap: anywhere; }
.messages summary:hover { background: var(--sunken); }
.messages summary:focus-visible { outline-offset: -2px; }
.messages .what { font-weight: 600; margin-inline: 0.25rem; }
.messages .from, .messages time { color: var(--soft); margin-right: 0.25rem; white-space: nowrap; }
.messages .badge { min-width: 4.25rem; text-align: center; }
.messages pre { max-height: 40rem; border-top: 1px solid var(--rule); background: var(--sunken); }
.pages { margin-top: 1rem; }
.pages a { margin-right: 1.25rem; }
.inspector td.count, .inspector th.count { text-align: right; font-variant-numeric: tabular-nums; }
.inspector .scroll table { min-width: 32rem; }
.inspector tbody th { overflow-wrap: anywhere; min-width: 9rem; }
.inspector footer { margin-top: 2.5rem; padding-top: 1rem; border-top: 1px solid var(--rule); color: var(--soft); font-size: 0.9375rem; }
@media (max-width: 30rem) { .inspector header .facts > div { grid-template-columns: minmax(0, 1fr); } .choices form, .choices button { width: 100%; } }
@media (forced-colors: active) { .state { border: 1px solid CanvasText; } }
@media print { button { display: none; } }
`;
