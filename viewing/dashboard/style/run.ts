/** The run's page. */
export const RUN = `
.top, main:not(.login), footer { max-width: 1220px; margin: 0 auto; padding-inline: 24px; }
.top { display: flex; flex-wrap: wrap; align-items: center; gap: 8px 20px; padding-block: 28px 4px; }
.titles { flex: 1 1 320px; min-width: 0; }
.titles p { color: var(--muted); overflow-wrap: anywhere; }
.state { display: inline-flex; align-items: center; gap: 8px; padding: 5px 14px 5px 12px; border: 1px solid var(--line); border-radius: 999px; background: var(--card); font-weight: 500; }
.dot { width: 9px; height: 9px; border-radius: 50%; background: var(--tone); }
.state[data-tone="good"] { --tone: var(--good); } .state[data-tone="busy"] { --tone: var(--busy); }
.state[data-tone="wait"] { --tone: var(--wait); } .state[data-tone="over"] { --tone: var(--over); }
.state[data-tone="wait"] { color: var(--wait); }
.actions { display: flex; flex-wrap: wrap; gap: 8px; }
.progress { margin-top: 16px; }
progress { display: block; width: 100%; height: 6px; border: 0; border-radius: 3px; overflow: hidden; background: var(--line); appearance: none; }
progress::-webkit-progress-bar { background: var(--line); }
progress::-webkit-progress-value { background: var(--curve-1); }
progress::-moz-progress-bar { background: var(--curve-1); }
.progress p { margin-top: 6px; color: var(--muted); font-size: 14px; font-variant-numeric: tabular-nums; }
.facts { display: grid; grid-template-columns: repeat(5, minmax(0, 1fr)); margin-top: 16px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; overflow: hidden; }
.facts > div { padding: 13px 18px 12px; min-width: 0; box-shadow: 0 0 0 0.5px var(--line); min-height: 72px; }
.facts dt { color: var(--muted); font-size: 13px; }
.facts dd { font-variant-numeric: tabular-nums; white-space: nowrap; overflow: hidden; text-overflow: ellipsis; }
.facts .value { font-size: 20px; font-weight: 600; letter-spacing: -0.01em; }
.facts small { margin-left: 6px; color: var(--muted); font-size: 13px; }
.advice { margin: 8px 4px 0; color: var(--muted); font-size: 13.5px; min-height: 1.5em; }
.charts { display: grid; grid-template-columns: repeat(6, minmax(0, 1fr)); gap: 16px; margin-top: 12px; }
.charts .card { grid-column: span 2; padding: 16px 14px 10px; }
.charts #loss { grid-column: span 4; grid-row: span 2; --plot: 496px; }
figcaption { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 10px; margin: 0 2px 6px; }
figcaption h2 { flex: 1 0 auto; }
figcaption small { flex: 1 0 100%; color: var(--muted); font-size: 13px; line-height: 1.4; }
button.axis { padding: 0 9px; font-size: 12.5px; font-weight: 400; color: var(--muted); border-color: var(--line); border-radius: 999px; background: none; }
button.axis[aria-pressed="true"] { color: var(--text); border-color: var(--control); background: var(--page); }
.charts { --plot: 190px; }
.plot { width: 100%; min-height: calc(var(--plot) + 26px); }
.uplot { font-family: inherit; width: 100% !important; }
.uplot .u-legend { display: flex; justify-content: flex-start; flex-wrap: wrap; gap: 0 14px; margin: 2px 0 0 46px; text-align: left; font-size: 13px; font-variant-numeric: tabular-nums; pointer-events: none; }
.u-legend tbody { display: contents; }
.u-legend .u-series { display: inline-flex; align-items: center; }
.u-legend .u-series.edge { display: none; }
.u-legend .u-series > * { padding: 1px 0; }
.u-legend .u-series:first-child { display: none; }
.u-inline.u-live th::after { content: none; }
.u-legend th { font-weight: 500; }
.u-legend .u-marker { width: 14px; height: 0; border-width: 2px 0 0 !important; margin-right: 6px; }
.u-legend .u-value { margin-left: 6px; color: var(--muted); }
.u-select { background: color-mix(in srgb, var(--curve-1) 15%, transparent); }
.u-hz .u-cursor-x { border-right: 1px solid var(--muted); opacity: 0.5; }
.u-hz .u-cursor-y { display: none; }
main > .card, .pair { margin-top: 16px; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.heading { display: flex; flex-wrap: wrap; align-items: baseline; gap: 0 12px; }
.heading p, .none, main > .card > p { color: var(--muted); font-size: 14px; font-variant-numeric: tabular-nums; }
.scroll { max-height: 520px; overflow-y: auto; margin-right: -10px; padding-right: 10px; }
table.rows { width: 100%; border-collapse: collapse; margin-top: 8px; font-size: 14px; font-variant-numeric: tabular-nums; }
.rows th, .rows td { text-align: left; padding: 6px 18px 6px 0; border-bottom: 1px solid var(--line); }
.rows thead th { color: var(--muted); font-size: 13px; font-weight: 400; white-space: nowrap; }
.rows tbody th { font-weight: 500; overflow-wrap: anywhere; }
.rows tbody tr:last-child > * { border-bottom: 0; }
.rows tr > :last-child { padding-right: 0; }
.rows .number, .rows .act { text-align: right; white-space: nowrap; }
.rows tr[data-state="silent"] td, .rows tr[data-state="draining"] td { color: var(--wait); }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 10px; list-style: none; }
.chips li { padding: 2px 10px; border: 1px solid var(--line); border-radius: 999px; font-size: 13px; font-variant-numeric: tabular-nums; }
.chips li:first-child { border-color: var(--good); color: var(--good); }
.command { display: flex; align-items: flex-start; gap: 10px; margin-top: 10px; }
.command code { flex: 1; min-width: 0; padding: 8px 12px; background: var(--page); border: 1px solid var(--line); border-radius: 8px; overflow-wrap: anywhere; }
.happenings { list-style: none; max-height: 260px; overflow-y: auto; margin-top: 8px; font-size: 14px; }
.happenings li { display: flex; gap: 14px; padding: 4px 0; overflow-wrap: anywhere; }
.happenings time { flex: none; color: var(--muted); font-variant-numeric: tabular-nums; }
.notice { position: fixed; left: 50%; bottom: 20px; translate: -50% 0; max-width: calc(100vw - 32px); padding: 10px 18px; color: var(--page); background: var(--text);
  border-radius: 10px; box-shadow: 0 8px 28px rgb(0 0 0 / 0.3); opacity: 0; visibility: hidden; transition: opacity 0.2s; }
.notice[data-shown] { opacity: 1; visibility: visible; }
footer { padding-block: 20px 40px; color: var(--muted); font-size: 13px; }
[data-connection="lost"] .charts, [data-connection="lost"] .facts, [data-connection="lost"] .progress { filter: saturate(0.35); }
@media (max-width: 1000px) {
  .charts .card { grid-column: span 3; }
  .charts #loss { grid-column: 1 / -1; grid-row: auto; --plot: 320px; }
  .charts .card:last-child { grid-column: 1 / -1; }
}
@media (max-width: 760px) {
  .scroll { max-height: 70vh; }
  .top, main:not(.login), footer { padding-inline: 12px; }
  .top { padding-top: 18px; }
  h1 { font-size: 24px; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .facts > div { padding: 10px 14px; min-height: 66px; }
  .charts { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .charts .card, .charts #loss { --plot: 190px; grid-column: 1; padding: 14px 10px 8px; }
  .pair { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .card { padding: 14px 12px; }
  .command { flex-direction: column; }
  .rows thead { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); }
  .rows tbody tr { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 2px 16px; padding: 10px 0; border-bottom: 1px solid var(--line); }
  .rows tbody tr:last-child { border-bottom: 0; }
  .rows tbody tr > * { display: flex; justify-content: space-between; gap: 10px; padding: 0; border: 0; text-align: right; min-width: 0; overflow-wrap: anywhere; }
  .rows tbody tr > th { grid-column: 1 / -1; justify-content: flex-start; font-weight: 600; }
  #shards tbody th::before { content: attr(data-label) "\\00a0"; white-space: pre; }
  .uplot .u-legend { margin-left: 8px; }
  .rows tbody td::before { content: attr(data-label); color: var(--muted); white-space: nowrap; }
  .rows tbody td.act { grid-column: 1 / -1; justify-content: flex-end; }
  .rows tbody td.act::before { content: none; }
  #workers tbody td:nth-child(3) { grid-column: 1 / -1; }
}
@media (prefers-reduced-motion: reduce) { * { transition: none !important; } }
`;
