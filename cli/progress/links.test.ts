import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { stripVTControlCharacters } from "node:util";
import { createLink, takesLinks } from "./links.js";

describe("createLink()", () => {
  it("leads to the file wherever the program was started, and to an address", () => {
    const link = createLink(true);
    const path = "runs/my run/report.html";
    // OSC 8: ESC ] 8 ; ; URI BEL, the text, and the same without a URI.
    const url = new URL(path.replace(" ", "%20"), `file://${process.cwd()}/`).href;
    assert.equal(link(path, path), `\x1b]8;;${url}\x07${path}\x1b]8;;\x07`);
    assert.equal(stripVTControlCharacters(link("here", "http://127.0.0.1:7401/")), "here");
    assert.ok(link("here", "http://127.0.0.1:7401/").includes(";;http://127.0.0.1:7401/\x07here"));
  });

  it("leaves the text as it is where links are not shown", () => {
    assert.equal(createLink(false)("runs/a", "runs/a"), "runs/a");
  });
});

describe("takesLinks()", () => {
  it("knows terminals that show links, and gives none to others", () => {
    const xterm = { TERM: "xterm-256color" };
    const taking = [
      { ...xterm, TERM_PROGRAM: "iTerm.app" },
      { ...xterm, TERM_PROGRAM: "vscode" },
      { ...xterm, VTE_VERSION: "6800" },
      { ...xterm, WT_SESSION: "5f9c" },
      { TERM: "xterm-kitty" },
      { TERM: "tmux-256color", TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "3.4" },
    ];
    for (const variables of taking) assert.equal(takesLinks(variables), true, JSON.stringify(variables));
    const refusing = [
      {},
      xterm,
      { TERM: "dumb", VTE_VERSION: "6800" },
      { ...xterm, VTE_VERSION: "4600" },
      { ...xterm, TERM_PROGRAM: "vscode", CI: "true" },
      { TERM: "screen-256color", TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "3.3a" },
      { TERM: "tmux-256color", TERM_PROGRAM: "tmux", TERM_PROGRAM_VERSION: "3.3a", VTE_VERSION: "6800" },
    ];
    for (const variables of refusing) assert.equal(takesLinks(variables), false, JSON.stringify(variables));
  });
});
