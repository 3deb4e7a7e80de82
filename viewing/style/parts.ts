/** What the dashboard and reports have in common: figures, charts, tables, lists, details; and how they are printed. */
export const PARTS = `
main:not(.login), footer { max-width: 1220px; margin: 0 auto; padding-inline: 24px; }
.facts { display: grid; margin-top: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.facts > div { padding: 13px 18px 12px; min-width: 0; box-shadow: 0 0 0 0.5px var(--line); min-height: 72px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.facts .value { font-size: 20px; font-weight: 600; letter-spacing: -0.01em; }
.facts small { margin-left: 6px; color: var(--muted); font-size: 13px; }
.charts { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 16px; margin-top: 12px; --plot: 190px; }
.charts .card { grid-column: span 2; padding: 16px 14px 10px; }
.charts #loss, .charts #accuracy { --plot: 300px; }
.charts #loss { grid-column: span 4; }
.charts #loss:not(:has(+ #accuracy)) { grid-column: 1 / -1; }
.charts #learning-rate, .charts #noise { grid-column: span 3; }
.charts #learning-rate:last-child { grid-column: 1 / -1; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; margin: 0 2px 6px; }
figcaption h2 { flex: 1 0 auto; }
figcaption small { flex: 1 0 100%; color: var(--muted); font-size: 13px; line-height: 1.4; }
button.axis { padding: 0 9px; font-size: 12.5px; font-weight: 400; color: var(--muted); border-color: var(--line); border-radius: 999px; background: none; }
button.axis[aria-pressed="true"] { color: var(--text); border-color: var(--control); background: var(--page); }
.plot { width: 100%; min-height: calc(var(--plot) + 26px); }
.uplot { font-family: inherit; width: 100% !important; }
.uplot .u-legend { display: flex; justify-content: flex-start; flex-wrap: wrap; gap: 0 14px; margin: 2px 0 0 46px; text-align: left; font-size: 13px; font-variant-numeric: tabular-nums; pointer-events: none; }
.u-legend tbody { display: contents; }
.u-legend .u-series { display: inline-flex; align-items: center; }
.u-legend .u-series.edge { display: none; }
.u-legend .u-series > * { padding: 1px 0; }
.u-legend .u-series:first-child { order: 1; margin-left: auto; }
.u-legend .u-series:first-child th { display: none; }
.u-inline.u-live th::after { content: none; }
.u-legend th { font-weight: 500; }
.u-legend .u-marker { width: 14px; height: 0; border-width: 2px 0 0 !important; margin-right: 6px; }
.u-legend .u-value { margin-left: 6px; color: var(--muted); }
.u-select { background: color-mix(in srgb, var(--curve-1) 15%, transparent); }
.u-hz .u-cursor-x { border-right: 1px solid var(--muted); opacity: 0.5; }
.u-hz .u-cursor-y { display: none; }
main > .card, .pair, details.more { margin-top: 16px; }
.scroll { max-height: 520px; overflow-y: auto; margin-right: -10px; padding-right: 10px; }
table.rows { width: 100%; border-collapse: collapse; margin-top: 8px; font-size: 14px; font-variant-numeric: tabular-nums; }
.rows th, .rows td { text-align: left; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); }
.rows thead th { color: var(--muted); font-size: 13px; font-weight: 400; white-space: nowrap; }
.rows tbody th { font-weight: 500; overflow-wrap: anywhere; }
.rows tbody tr:last-child > * { border-bottom: 0; }
.rows tr > :last-child { padding-right: 0; }
.rows .number, .rows .act { text-align: right; white-space: nowrap; }
.happenings { list-style: none; max-height: 260px; overflow-y: auto; margin-top: 8px; font-size: 14px; }
.happenings li { display: flex; gap: 14px; padding: 4px 0; overflow-wrap: anywhere; }
.happenings time { flex: none; color: var(--muted); font-variant-numeric: tabular-nums; }
.heading { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 12px; }
.heading p, .none, main > .card > p { color: var(--muted); font-size: 14px; font-variant-numeric: tabular-nums; }
.scroll-x { overflow-x: auto; }
.charts.pairs .card { grid-column: span 3; --plot: 240px; }
.charts.pairs .card:last-child:nth-child(odd) { grid-column: 1 / -1; }
.printing { color-scheme: light; }
details.more > summary { padding: 10px 4px; cursor: pointer; }
details.more > summary h2 { display: inline; }
.groups { columns: 2; column-gap: 16px; }
.groups > .card { break-inside: avoid; margin-bottom: 16px; }
.details > div { display: grid; grid-template-columns: minmax(0, 2fr) minmax(0, 3fr); gap: 0 16px; padding: 5px 0; border-bottom: 1px solid var(--line); font-size: 14px; }
.details > div:last-child { border-bottom: 0; }
.details dt { color: var(--muted); }
.details dd { overflow-wrap: anywhere; font-variant-numeric: tabular-nums; }
footer { padding-block: 20px 40px; color: var(--muted); font-size: 13px; }
@media (max-width: 1000px) {
  .charts .card, .charts #learning-rate, .charts #noise { grid-column: span 3; }
  .charts #loss, .charts #accuracy { grid-column: 1 / -1; }
  .charts .card:last-child:nth-child(odd) { grid-column: 1 / -1; }
}
@media (max-width: 760px) {
  .scroll { max-height: 70vh; }
  main:not(.login), footer { padding-inline: 12px; }
  h1 { font-size: 24px; }
  .facts > div { padding: 10px 14px; min-height: 66px; }
  .charts { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .charts.pairs .card, .charts .card, .charts #loss, .charts #accuracy, .charts #learning-rate, .charts #noise { --plot: 190px; grid-column: 1; padding: 14px 10px 8px; }
  .groups { columns: 1; }
  .groups > .card { margin-bottom: 12px; }
  .card { padding: 14px 12px; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2px 16px; padding: 10px 0; border-bottom: 1px solid var(--line); }
  .rows tbody tr:last-child { border-bottom: 0; }
  .rows tbody tr > * { display: flex; justify-content: space-between; gap: 10px; padding: 0; border: 0; text-align: right; min-width: 0; overflow-wrap: anywhere; }
  .rows tbody tr > th { grid-column: 1 / -1; justify-content: flex-start; font-weight: 600; }
  .rows tbody td::before { content: attr(data-label); color: var(--muted); white-space: nowrap; }
  .rows tbody td.wide { grid-column: 1 / -1; }
  .happenings li { flex-direction: column; gap: 0; }
  .uplot .u-legend { margin-left: 8px; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
@media print {
  :root { color-scheme: light; }
  body { background: #ffffff; }
  .card, .facts, figure, .details > div, .rows tr { break-inside: avoid; }
  .scroll, .happenings { max-height: none; overflow: visible; }
  button, .actions, footer { display: none; }
}
`;
