/** What only reports have. */
export const REPORT = `
main { padding-block: 32px 12px; }
header p { margin-top: 4px; color: var(--muted); overflow-wrap: anywhere; }
.facts { display: flex; flex-wrap: wrap; }
.facts > div { flex: 1 1 240px; }
.facts dd { white-space: normal; }
main footer { padding-inline: 0; }
.failure { margin-top: 16px; padding: 12px 16px; background: var(--card); border: 1px solid var(--danger); border-radius: 12px; overflow-wrap: anywhere; }
.share { display: inline-block; width: 90px; height: 8px; margin-right: 8px; vertical-align: middle; background: var(--line); border-radius: 4px; overflow: hidden; }
.share span { display: block; height: 100%; background: var(--curve-1); }
.key { display: inline-block; width: 14px; height: 3px; margin-right: 8px; vertical-align: middle; }
.key-1 { background: var(--curve-1); } .key-2 { background: var(--curve-2); } .key-3 { background: var(--curve-3); } .key-4 { background: var(--curve-4); } .key-5 { background: var(--curve-5); } .key-6 { background: var(--curve-6); } .key-7 { background: var(--curve-7); } .key-8 { background: var(--curve-8); }
.differs { font-weight: 600; }
@media (max-width: 760px) {
  .facts > div { flex: 1 1 45%; }
  .share { display: none; }
  .key { flex: none; align-self: center; }
}
`;
