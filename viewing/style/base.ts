/** Colours, type, controls. Every pair of text and ground has a contrast of 4.5 or more, in both schemes. */
export const BASE = `
:root {
  color-scheme: light dark;
  --page: #f6f6f3; --card: #ffffff; --text: #1d1d1b; --muted: #63635e; --line: #e4e3de; --grid: #ecebe6; --control: #8a8a84;
  --accent: #1f5ac4; --on-accent: #ffffff; --danger: #b3261e; --good: #0d7a5f; --busy: #1f5ac4; --wait: #9a5b00; --over: #63635e;
  --curve-1: #2f6bd8; --curve-2: #d4570b; --curve-3: #0f8a6d; --curve-4: #8445c4; --curve-5: #b8336a;
  --curve-6: #8a7000; --curve-7: #5c6b7a; --curve-8: #1f87a8;
}
@media (prefers-color-scheme: dark) {
  :root:not(.printing) {
    --page: #131416; --card: #1c1e21; --text: #ececea; --muted: #a3a5a8; --line: #2d3034; --grid: #292c30; --control: #7b7e83;
    --accent: #8ab4ff; --on-accent: #10131a; --danger: #ff9d94; --good: #4fd1ab; --busy: #8ab4ff; --wait: #f0b35e; --over: #a3a5a8;
    --curve-1: #6fa5ff; --curve-2: #ff9a57; --curve-3: #3fcaa4; --curve-4: #bd8cff; --curve-5: #ff7eae;
    --curve-6: #dcc04a; --curve-7: #9fb0c2; --curve-8: #62cde8;
  }
}
* { box-sizing: border-box; }
html { scroll-padding-top: 16px; }
body { margin: 0; background: var(--page); color: var(--text); font: 15px/1.5 system-ui, -apple-system, "Segoe UI", Roboto, sans-serif; }
h1, h2, h3, p, figure, dl, dd, ul, ol { margin: 0; padding: 0; }
h1 { font-size: 28px; line-height: 1.2; letter-spacing: -0.02em; overflow-wrap: anywhere; }
h2 { font-size: 16px; line-height: 1.4; }
h3 { font-size: 14px; line-height: 1.4; color: var(--muted); font-weight: 600; }
a { color: var(--accent); text-underline-offset: 2px; }
code { font: 13px/1.5 ui-monospace, "SF Mono", Menlo, Consolas, monospace; }
button, .button { display: inline-block; font: inherit; font-weight: 500; padding: 6px 14px; color: var(--text); background: var(--card); border: 1px solid var(--control);
  border-radius: 8px; cursor: pointer; text-decoration: none; white-space: nowrap; }
button:hover, .button:hover { border-color: var(--text); }
button.danger { color: var(--danger); border-color: var(--danger); }
button.quiet { background: none; border-color: transparent; color: var(--muted); }
button.quiet:hover { border-color: var(--control); }
button.small { padding: 1px 10px; font-size: 13px; border-radius: 6px; }
button:disabled { opacity: 0.55; cursor: default; border-color: var(--control); }
:focus-visible { outline: 2px solid var(--accent); outline-offset: 2px; }
main:focus { outline: none; }
.card { padding: 18px; background: var(--card); border: 1px solid var(--line); border-radius: 12px; min-width: 0; }
.unseen { position: absolute; width: 1px; height: 1px; overflow: hidden; clip-path: inset(50%); white-space: nowrap; }
.skip { position: absolute; left: 12px; top: -60px; padding: 8px 14px; background: var(--card); border-radius: 8px; z-index: 2; }
.skip:focus { top: 12px; }
.login { display: grid; min-height: 100vh; place-items: center; padding: 16px; }
.login form { width: min(420px, 100%); display: grid; gap: 12px; padding: 28px; }
.login h1 { font-size: 24px; }
.login p { color: var(--muted); }
.login strong { color: var(--text); }
.login label { font-weight: 500; margin-top: 4px; }
.login input { font: inherit; padding: 8px 12px; color: var(--text); background: var(--page); border: 1px solid var(--control); border-radius: 8px; width: 100%; }
.login button { color: var(--on-accent); background: var(--accent); border-color: var(--accent); padding: 8px 14px; }
.login .complaint { color: var(--danger); }
dialog { max-width: min(460px, calc(100vw - 32px)); padding: 24px; color: var(--text); background: var(--card); border: 1px solid var(--line); border-radius: 14px;
  box-shadow: 0 16px 48px rgb(0 0 0 / 0.25); }
dialog::backdrop { background: rgb(10 12 16 / 0.45); }
dialog p { margin-top: 8px; color: var(--muted); }
.choices { display: flex; justify-content: flex-end; gap: 8px; margin-top: 20px; }
`;
