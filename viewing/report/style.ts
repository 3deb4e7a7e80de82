/** The report's style sheet: light and dark by the reader's own setting, from a phone's width up. */
export const REPORT_STYLE = `
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --card: #ffffff; --text: #1d1d1b; --muted: #6d6d68; --line: #e4e3de; --grid: #ecebe6;
  --curve-1: #2f6bd8; --curve-2: #d4570b; --curve-3: #0f8a6d; --curve-4: #8445c4; --curve-5: #b8336a;
  --curve-6: #8a7000; --curve-7: #5c6b7a; --curve-8: #1f87a8;
}
@media (prefers-color-scheme: dark) {
  :root {
    --page: #131416; --card: #1c1e21; --text: #ececea; --muted: #9a9c9f; --line: #2d3034; --grid: #292c30;
    --curve-1: #6fa5ff; --curve-2: #ff9a57; --curve-3: #3fcaa4; --curve-4: #bd8cff; --curve-5: #ff7eae;
    --curve-6: #dcc04a; --curve-7: #9fb0c2; --curve-8: #62cde8;
  }
}
* { box-sizing: border-box; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", sans-serif; }
main { max-width: 1180px; margin: 0 auto; padding: 32px 24px 48px; }
header p { margin: 4px 0 0; color: var(--muted); }
h1 { margin: 0; font-size: 30px; line-height: 1.2; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { margin: 0; font-size: 16px; }
.facts { display: grid; grid-template-columns: repeat(auto-fit, minmax(125px, 1fr)); margin: 24px 0 0; padding: 0;
  background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.facts > div { padding: 14px 16px; box-shadow: 0 0 0 0.5px var(--line); }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { margin: 2px 0 0; font-size: 19px; font-weight: 600; font-variant-numeric: tabular-nums; white-space: nowrap; }
.failure { margin: 16px 0 0; padding: 12px 16px; background: var(--card); border: 1px solid var(--curve-2); border-radius: 12px; overflow-wrap: anywhere; }
.hash { margin: 12px 2px 0; color: var(--muted); font-size: 13px; }
.hash code { font: 12.5px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; color: var(--text); overflow-wrap: anywhere; }
.charts { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; margin-top: 24px; }
.card { margin: 0; padding: 18px 18px 12px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; min-width: 0; }
.card.wide, .card:last-child:nth-child(even) { grid-column: 1 / -1; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; margin-bottom: 6px; }
figcaption small { flex: 1 1 200px; color: var(--muted); font-size: 13px; }
button { font: inherit; font-size: 12.5px; padding: 2px 10px; color: var(--muted); background: none; border: 1px solid var(--line);
  border-radius: 999px; cursor: pointer; }
button:hover, button:focus-visible { color: var(--text); border-color: var(--muted); }
.plot { width: 100%; }
.uplot { font-family: inherit; width: 100% !important; }
.u-legend { display: flex; flex-wrap: wrap; gap: 0 16px; margin: 2px 0 0 50px; text-align: left; font-size: 13px; font-variant-numeric: tabular-nums; }
.u-legend tbody { display: contents; }
.u-legend .u-series { display: inline-flex; align-items: center; }
.u-legend .u-series > * { padding: 2px 0; }
.u-legend .u-series:first-child { color: var(--muted); }
.u-legend .u-series:first-child .u-marker { display: none; }
.u-inline.u-live th::after { content: none; }
.u-legend th { font-weight: 500; }
.u-legend .u-marker { width: 14px; height: 0; border-width: 2px 0 0 !important; margin-right: 6px; }
.u-legend .u-value { margin-left: 6px; min-width: 4.5em; color: var(--muted); }
.u-select { background: color-mix(in srgb, var(--curve-1) 15%, transparent); }
.u-hz .u-cursor-x { border-right: 1px solid var(--muted); opacity: 0.5; }
.u-hz .u-cursor-y { display: none; }
.table { margin-top: 16px; overflow-x: auto; }
table.rows { width: 100%; border-collapse: collapse; margin-top: 8px; font-variant-numeric: tabular-nums; }
.rows th { text-align: left; color: var(--muted); font-size: 13px; font-weight: 400; }
.rows th, .rows td { padding: 6px 16px 6px 0; border-bottom: 1px solid var(--line); white-space: nowrap; }
.rows tr:last-child td { border-bottom: 0; }
.rows .number { text-align: right; }
.share { display: inline-block; height: 8px; background: var(--curve-1); border-radius: 4px; vertical-align: middle; margin-right: 8px; }
details { margin-top: 16px; }
summary { cursor: pointer; }
footer { margin-top: 20px; color: var(--muted); font-size: 13px; }
@media (max-width: 760px) {
  main { padding: 20px 12px 32px; }
  h1 { font-size: 24px; }
  .charts { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .card { padding: 14px 12px 10px; }
  .facts { grid-template-columns: repeat(2, 1fr); }
  figcaption small { flex-basis: 100%; order: 1; }
  figcaption button { margin-left: auto; }
  .u-legend { margin-left: 8px; }
  .u-legend .u-value { min-width: 3em; }
}
`;
