/** What only the dashboard's page has. */
export const RUN = `
.top { max-width: 1220px; margin: 0 auto; padding-inline: 24px; }
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
.facts { grid-template-columns: repeat(5, minmax(0, 1fr)); }
.advice { margin: 8px 4px 0; color: var(--muted); font-size: 13.5px; min-height: 1.5em; }
.pair { display: grid; grid-template-columns: repeat(2, minmax(0, 1fr)); gap: 16px; }
.rows tr[data-state="silent"] td, .rows tr[data-state="draining"] td { color: var(--wait); }
.chips { display: flex; flex-wrap: wrap; gap: 6px; margin-top: 10px; list-style: none; }
.chips li { padding: 2px 10px; border: 1px solid var(--line); border-radius: 999px; font-size: 13px; font-variant-numeric: tabular-nums; }
.chips li:first-child { border-color: var(--good); color: var(--good); }
.command { display: flex; align-items: flex-start; gap: 10px; margin-top: 10px; }
.command code { flex: 1; min-width: 0; padding: 8px 12px; background: var(--page); border: 1px solid var(--line); border-radius: 8px; overflow-wrap: anywhere; }
.notice { position: fixed; left: 50%; bottom: 20px; translate: -50% 0; max-width: calc(100vw - 32px); padding: 10px 18px; color: var(--page); background: var(--text);
  border-radius: 10px; box-shadow: 0 8px 28px rgb(0 0 0 / 0.3); opacity: 0; visibility: hidden; transition: opacity 0.2s; }
.notice[data-shown] { opacity: 1; visibility: visible; }
[data-connection="lost"] .charts, [data-connection="lost"] .facts, [data-connection="lost"] .progress { filter: saturate(0.35); }
@media (max-width: 1000px) {
  .facts { grid-template-columns: repeat(3, minmax(0, 1fr)); }
}
@media (max-width: 760px) {
  .top { padding-inline: 12px; padding-top: 18px; }
  .facts { grid-template-columns: repeat(2, minmax(0, 1fr)); }
  .pair { grid-template-columns: minmax(0, 1fr); gap: 12px; }
  .command { flex-direction: column; }
  #shards tbody th::before { content: attr(data-label) "\\00a0"; white-space: pre; }
  .rows tbody td.act { grid-column: 1 / -1; justify-content: flex-end; }
  .rows tbody td.act::before { content: none; }
}
`;
