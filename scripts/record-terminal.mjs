// Records a command in a real terminal (tmux) as an animated SVG: `node scripts/record-terminal.mjs FILE COMMAND`.
// The picture in README: `node CHECKOUT/scripts/record-terminal.mjs CHECKOUT/docs/terminal.svg 'isobatch run mnist'` in an empty folder.
import { execFileSync } from "node:child_process";
import { writeFileSync } from "node:fs";

const COLUMNS = 106;
const ROWS = 33;
const EVERY_MS = 250;
const FRAMES_MAX = 14;
const SECONDS = { frame: 0.9, last: 6 };
const CELL = { width: 8.4, height: 19 };
const MARGIN = 16;
const COLORS = ["#3b4252", "#e06c75", "#98c379", "#e5c07b", "#61afef", "#c678dd", "#56b6c2", "#d7dae0"];
const [BACKGROUND, TEXT] = ["#16181d", "#d7dae0"];

const [file, command] = process.argv.slice(2);
if (command === undefined) throw new Error("usage: node scripts/record-terminal.mjs FILE COMMAND");

const session = `isobatch-recording-${process.pid}`;
const tmux = (...args) => execFileSync("tmux", ["-L", session, ...args], { encoding: "utf8" });
const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** The terminal's contents at each change, from the command's first line to its end. */
async function record() {
  tmux("-f", "/dev/null", "new-session", "-d", "-s", "0", "-x", String(COLUMNS), "-y", String(ROWS), "bash", "--norc");
  try {
    tmux("set-option", "-g", "status", "off");
    tmux("send-keys", "-t", "0", "PS1='$ '; clear", "Enter");
    await sleep(500);
    const frames = [tmux("capture-pane", "-p", "-e", "-t", "0")];
    tmux("send-keys", "-t", "0", command, "Enter");
    // It has ended when the shell is in the foreground again, which it still is just after the keys were sent.
    for (let started = false; ; ) {
      const inShell = tmux("display-message", "-p", "-t", "0", "#{pane_current_command}").trim() === "bash";
      const frame = tmux("capture-pane", "-p", "-e", "-t", "0");
      if (frame !== frames.at(-1)) frames.push(frame);
      if (started && inShell) return frames;
      started ||= !inShell;
      await sleep(EVERY_MS);
    }
  } finally {
    tmux("kill-server");
  }
}

/** At most FRAMES_MAX of the frames, evenly, with the first and the last. */
function chosen(frames) {
  const count = Math.min(FRAMES_MAX, frames.length);
  return Array.from(
    { length: count },
    (_, i) => frames[Math.round((i * (frames.length - 1)) / Math.max(1, count - 1))],
  );
}

const escaped = (text) => text.replaceAll("&", "&amp;").replaceAll("<", "&lt;");

/** One line of a terminal with its escape sequences, as text elements. */
function lineToSvg(line, row) {
  let [column, color, bold, dim] = [0, TEXT, false, false];
  const parts = [];
  // biome-ignore lint/suspicious/noControlCharactersInRegex: escape sequences start with one.
  for (const part of line.split(/(\x1b\[[\d;]*m)/)) {
    // biome-ignore lint/suspicious/noControlCharactersInRegex: as above.
    const [, codes] = /^\x1b\[([\d;]*)m$/.exec(part) ?? [];
    if (codes === undefined) {
      const text = part.trimEnd();
      const x = MARGIN + (column + part.length - part.trimStart().length) * CELL.width;
      const style = `${bold ? ' font-weight="bold"' : ""}${dim ? ' opacity="0.6"' : ""}`;
      if (text !== "")
        parts.push(`<tspan x="${x.toFixed(1)}" fill="${color}"${style}>${escaped(text.trimStart())}</tspan>`);
      column += [...part].length;
      continue;
    }
    for (const code of codes.split(";").map(Number)) {
      if (code === 0) [color, bold, dim] = [TEXT, false, false];
      else if (code === 1) bold = true;
      else if (code === 2) dim = true;
      else if (code === 22) [bold, dim] = [false, false];
      else if (code === 39) color = TEXT;
      else if (code >= 30 && code <= 37) color = COLORS[code - 30];
      else if (code >= 90 && code <= 97) color = COLORS[code - 90];
    }
  }
  return parts.length === 0 ? "" : `<text y="${MARGIN + (row + 0.75) * CELL.height}">${parts.join("")}</text>`;
}

function toSvg(frames) {
  const total = SECONDS.frame * (frames.length - 1) + SECONDS.last;
  const share = (seconds) => `${((100 * seconds) / total).toFixed(2)}%`;
  const rules = frames.map((_, i) => {
    const [from, to] = [i * SECONDS.frame, i === frames.length - 1 ? total : (i + 1) * SECONDS.frame];
    const states = [[0, i === 0], ...(i > 0 ? [[from, true]] : []), ...(to < total ? [[to, false]] : [])];
    const steps = states.map(([at, on]) => `${share(at)}{visibility:${on ? "visible" : "hidden"}}`).join("");
    return `@keyframes f${i}{${steps}}#f${i}{animation:f${i} ${total.toFixed(1)}s step-end infinite}`;
  });
  const last = frames.length - 1;
  const [width, height] = [2 * MARGIN + COLUMNS * CELL.width, 2 * MARGIN + ROWS * CELL.height];
  const groups = frames.map((frame, i) => {
    const lines = frame.split("\n").map(lineToSvg).join("");
    return `<g id="f${i}" class="frame">${lines}</g>`;
  });
  return [
    `<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 ${width} ${height}" width="${width}" height="${height}" role="img">`,
    `<title>${escaped(command)} in a terminal</title>`,
    `<style>.frame{visibility:hidden}#f${last}{visibility:visible}`,
    `@media (prefers-reduced-motion:no-preference){${rules.join("")}}</style>`,
    `<rect width="100%" height="100%" rx="8" fill="${BACKGROUND}"/>`,
    `<g font-family="ui-monospace,Menlo,Consolas,'DejaVu Sans Mono',monospace" font-size="14">`,
    ...groups,
    "</g></svg>\n",
  ].join("\n");
}

writeFileSync(file, toSvg(chosen(await record())));
