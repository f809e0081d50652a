/** The style of the public page, used in its style element and for the hash that allows the style. */
export const PAGE_STYLE = `
:root {
  color-scheme: light dark;
  --ground: #fbfaf7; --card: #ffffff; --sunken: #f4f2ec; --rule: #e2dfd6; --text: #1d1f24; --soft: #5b5f68;
  --accent: #0b5f66; --focus: #0b5f66; --key: #0b5f66; --string: #7a3d10;
  --technical: #2a5872; --technical-ground: #e4eff5; --interaction: #4d4a8f; --interaction-ground: #ecebf8;
  --content: #7d4b00; --content-ground: #fbeecf; --contact: #8c2f52; --contact-ground: #fae5ec;
  --alarm: #a8161f; --alarm-ground: #fdeaea;
  --sans: ui-sans-serif, system-ui, -apple-system, "Segoe UI", Roboto, "Helvetica Neue", "Noto Sans", Arial, sans-serif;
  --mono: ui-monospace, "SF Mono", "Cascadia Mono", Menlo, Consolas, "DejaVu Sans Mono", monospace;
}
@media (prefers-color-scheme: dark) {
  :root {
    --ground: #14161a; --card: #1a1d22; --sunken: #20242a; --rule: #31363e; --text: #e7e6e2; --soft: #a3a8b1;
    --accent: #74c7cc; --focus: #74c7cc; --key: #74c7cc; --string: #e3b48b;
    --technical: #9fcbe4; --technical-ground: #1c303c; --interaction: #bdb9f2; --interaction-ground: #2a2945;
    --content: #efc777; --content-ground: #3a2d12; --contact: #f2a9c1; --contact-ground: #3f1f2c;
    --alarm: #ff9a98; --alarm-ground: #43191b;
  }
}
* { box-sizing: border-box; }
html { scroll-behavior: smooth; scroll-padding-top: 1.5rem; -webkit-text-size-adjust: 100%; text-size-adjust: 100%; }
@media (prefers-reduced-motion: reduce) { html { scroll-behavior: auto; } }
body { margin: 0; background: var(--ground); color: var(--text); font: 1rem/1.6 var(--sans); }
a { color: var(--accent); text-decoration-thickness: 1px; text-underline-offset: 0.2em; }
a:hover { text-decoration-thickness: 2px; }
:focus-visible { outline: 2px solid var(--focus); outline-offset: 3px; border-radius: 3px; }
main:focus { outline: none; }
p, ul, ol, dl, figure { margin: 0 0 1rem; }
code, pre { font-family: var(--mono); font-size: 0.875em; }
code { overflow-wrap: anywhere; }
code.short { white-space: nowrap; }
p code, li code, dd code, td code { background: var(--sunken); border-radius: 4px; padding: 0.12em 0.35em; box-decoration-break: clone; -webkit-box-decoration-break: clone; }
li code.long, p code.long { display: block; margin: 0.375rem 0; padding: 0.5rem 0.75rem; border-radius: 8px; }
.skip { position: absolute; left: -100vw; top: 0; z-index: 1; background: var(--card); padding: 0.75rem 1.25rem; }
.skip:focus { left: 0; }

.frame { max-width: 50.5rem; margin: 0 auto; padding: 0 1.25rem 5rem; }
main { min-width: 0; }
header { padding: 3.5rem 0 0.5rem; }
h1 { margin: 0 0 1rem; font-size: clamp(2rem, 1.4rem + 2.6vw, 3rem); line-height: 1.1; letter-spacing: -0.022em; font-weight: 680; text-wrap: balance; }
.lead p { font-size: 1.1875rem; line-height: 1.55; color: var(--text); text-wrap: pretty; }
h2 { margin: 0; font-size: 1.625rem; line-height: 1.25; letter-spacing: -0.014em; font-weight: 660; }
h3 { margin: 0; font-size: 1.0625rem; line-height: 1.4; font-weight: 640; }
h3 code { font-size: 1em; }
.anchor { position: absolute; margin-left: 0.35em; color: var(--soft); font-weight: 400; text-decoration: none; opacity: 0; }
h2:hover .anchor, h3:hover .anchor { opacity: 1; }
section.plain { padding-top: 3.25rem; }
.head { display: flex; flex-wrap: wrap; align-items: center; gap: 0.5rem 0.875rem; margin-bottom: 1rem; }
.badges { display: flex; flex-wrap: wrap; gap: 0.375rem; margin: 0; }
li { margin-bottom: 0.5rem; padding-left: 0.25rem; }
ul, ol { padding-left: 1.375rem; }
li::marker { color: var(--soft); }

.badge { display: inline-block; padding: 0.05rem 0.5rem; border-radius: 999px; border: 1px solid transparent; font: 500 0.75rem/1.5 var(--sans); white-space: nowrap; }
.badge.plain { color: var(--soft); border-color: var(--rule); }
.badge.technical { color: var(--technical); background: var(--technical-ground); }
.badge.interaction { color: var(--interaction); background: var(--interaction-ground); }
.badge.content { color: var(--content); background: var(--content-ground); }
.badge.contact { color: var(--contact); background: var(--contact-ground); }
.alarm { color: var(--alarm); }
.warning { border: 1px solid var(--alarm); background: var(--alarm-ground); border-radius: 8px; padding: 0.75rem 1rem; }

.facts > div { display: grid; grid-template-columns: 7.5rem minmax(0, 1fr); gap: 0 1rem; padding: 0.5rem 0; border-top: 1px solid var(--rule); }
.facts > div:last-child { border-bottom: 1px solid var(--rule); }
dt { color: var(--soft); }
dd { margin: 0; overflow-wrap: anywhere; }
.facts { font-size: 0.9375rem; line-height: 1.5; }
.across { display: flex; flex-wrap: wrap; gap: 1rem 3rem; border-top: 1px solid var(--rule); padding-top: 1rem; margin-top: 2rem; }
.across > div { display: block; border: 0 !important; padding: 0; }

.sheet { margin: 0 0 1.25rem; border: 1px solid var(--rule); border-radius: 10px; background: var(--card); overflow: hidden; }
table { width: 100%; border-collapse: collapse; font-size: 0.875rem; line-height: 1.5; }
caption, .caption { margin: 0; text-align: left; padding: 0.75rem 1rem; font-size: 0.875rem; font-weight: 600; }
th, td { text-align: left; vertical-align: top; padding: 0.625rem 1rem; border-top: 1px solid var(--rule); }
thead th { color: var(--soft); font-weight: 500; background: var(--sunken); white-space: nowrap; padding-block: 0.4rem; }
tbody th { font-weight: 500; }
tbody th code { font-weight: 600; overflow-wrap: anywhere; }
time { white-space: nowrap; }
.columns-5 td:nth-child(4) { width: 38%; }
.columns-3 td:last-child { width: 75%; }
td:last-child { font-variant-numeric: tabular-nums; }

section.event { margin-top: 1.5rem; padding: 1.375rem 1.5rem 0.5rem; border: 1px solid var(--rule); border-radius: 14px; background: var(--card); scroll-margin-top: 1rem; }
section.event .sheet { background: none; }
summary { cursor: pointer; }
.sample { margin: 0 0 1rem; border: 1px solid var(--rule); border-radius: 10px; overflow: hidden; }
.sample summary { padding: 0.5rem 1rem; font-size: 0.875rem; font-weight: 600; }
.sample summary:hover { background: var(--sunken); }
.sample summary:focus-visible, .sheet > summary:focus-visible { outline-offset: -2px; border-radius: 10px; }
.sample pre { border-top: 1px solid var(--rule); background: var(--sunken); }
pre { margin: 0; padding: 0.875rem 1rem; overflow: auto; max-height: 28rem; font-size: 0.8125rem; line-height: 1.55; tab-size: 2; }
pre:focus-visible { outline-offset: -2px; border-radius: 10px; }
pre code { font-size: 1em; overflow-wrap: normal; }
pre b { font-weight: 400; color: var(--key); }
pre i { font-style: normal; color: var(--string); }

nav { padding-top: 1rem; }
nav details { border: 1px solid var(--rule); border-radius: 10px; background: var(--card); }
nav summary { padding: 0.5rem 1rem; color: var(--soft); font-size: 0.9375rem; }
nav details > ul { padding: 0 1rem 0.75rem; }
nav ul { list-style: none; margin: 0; padding: 0; }
nav li { margin: 0; padding: 0; }
nav a { display: block; padding: 0.3rem 0; color: var(--text); text-decoration: none; font-size: 0.9375rem; line-height: 1.4; overflow-wrap: anywhere; }
nav a:hover { color: var(--accent); text-decoration: underline; }
nav ul ul { margin: 0.125rem 0 0.5rem; padding-left: 0.75rem; border-left: 1px solid var(--rule); }
nav ul ul a { color: var(--soft); font-size: 0.875rem; }
@media (min-width: 68rem) {
  .frame { display: grid; max-width: 69.5rem; grid-template-columns: 15rem minmax(0, 48rem); gap: 0 4rem; }
  nav { position: sticky; top: 0; align-self: start; max-height: 100vh; overflow-y: auto; padding: 3.5rem 0.5rem 2rem 0; }
  nav details { border: 0; background: none; }
  nav summary { padding: 0 0 0.5rem; font-size: 0.875rem; }
  nav details > ul { padding: 0; }
  nav a { padding: 0.2rem 0; font-size: 0.875rem; }
  nav ul ul a { font-size: 0.8125rem; }
  @supports selector(::details-content) {
    nav details::details-content { content-visibility: visible; block-size: auto; }
    nav summary { list-style: none; pointer-events: none; }
    nav summary::-webkit-details-marker { display: none; }
  }
}
@media (min-width: 44.01rem) {
  @supports selector(::details-content) {
    .sheet::details-content { content-visibility: visible; block-size: auto; }
    .sheet > summary { list-style: none; pointer-events: none; }
    .sheet > summary::-webkit-details-marker { display: none; }
  }
}
/* Tables become cards: each row a card, each cell a line that begins with its column's name. */
@media (max-width: 44rem) {
  table, caption, tbody, tr, tbody th, td { display: block; width: auto; }
  .columns-3 td:last-child, .columns-5 td:nth-child(4) { width: auto; }
  thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  tr { padding: 0.75rem 1rem; border-top: 1px solid var(--rule); }
  tbody th, td { padding: 0; border: 0; overflow-wrap: anywhere; }
  td { position: relative; padding: 0.2rem 0 0 7rem; min-height: 1.7rem; }
  td:empty { display: none; }
  td::before { content: attr(data-label); position: absolute; left: 0; color: var(--soft); }
  /* The card of a field: name and sensitivity, its meaning, then value and version on one line. */
  .columns-5.fields tr { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0.15rem 0.625rem; }
  .columns-5.fields td { padding: 0; min-height: 0; }
  .columns-5.fields td::before { content: none; }
  .columns-5.fields td:nth-child(3) { order: 1; }
  .columns-5.fields td:nth-child(4) { order: 2; flex: 1 0 100%; }
  .columns-5.fields td:nth-child(2) { order: 3; color: var(--soft); }
  .columns-5.fields td:nth-child(5) { order: 4; color: var(--soft); }
  .columns-5.fields td:nth-child(5)::before { content: "since version "; position: static; }
  .facts > div { grid-template-columns: 5.5rem minmax(0, 1fr); }
}
@media (max-width: 30rem) {
  header { padding-top: 2rem; }
  section.event { margin-inline: -0.5rem; padding-inline: 1rem; }
}
@media (forced-colors: active) { .badge { border-color: CanvasText; } }
@media print {
  :root {
    color-scheme: light;
    --ground: #fff; --card: #fff; --sunken: #fff; --rule: #bbb; --text: #000; --soft: #444; --accent: #000; --key: #000;
    --string: #444; --technical: #000; --technical-ground: #fff; --interaction: #000; --interaction-ground: #fff;
    --content: #000; --content-ground: #fff; --contact: #000; --contact-ground: #fff; --alarm: #a8161f; --alarm-ground: #fff;
  }
  body { font-size: 10pt; }
  nav, .skip, .anchor { display: none; }
  .frame { display: block; padding: 0; max-width: none; }
  header { padding-top: 0; }
  section.event { display: block; }
  pre, section.event pre { max-height: none; white-space: pre-wrap; overflow-wrap: anywhere; }
  details::details-content { content-visibility: visible; block-size: auto; }
  .badge { border-color: #888; }
  h2, h3, .head, caption, figcaption { break-after: avoid; }
  tr, .facts > div, li { break-inside: avoid; }
}
`;
