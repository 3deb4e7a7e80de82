/** Paths and addresses that can be clicked, on terminals that support OSC 8. */
import { resolve } from "node:path";
import { pathToFileURL } from "node:url";

/** Links a text to a file or an address, or returns it as it is. */
export type Linker = (text: string, target: string) => string;

/** @param enabled whether the output is a terminal that supports links: see `takesLinks` */
export function createLink(enabled: boolean): Linker {
  if (!enabled) return (text) => text;
  return (text, target) => {
    const url = /^https?:/.test(target) ? target : pathToFileURL(resolve(target)).href;
    return `\x1b]8;;${url}\x07${text}\x1b]8;;\x07`;
  };
}

/** VTE shows links since 0.50, tmux passes them on since 3.4. */
const VTE_MIN = 5_000;
const TMUX_MIN = 3.4;

/**
 * Whether a terminal is known to take links, by the variables that terminals set. Others show them as plain text, but a few
 * old ones print the escape sequence, so a terminal that is not known gets none.
 */
export function takesLinks(variables: Readonly<NodeJS.ProcessEnv>): boolean {
  const { TERM, TERM_PROGRAM, TERM_PROGRAM_VERSION, VTE_VERSION, WT_SESSION, KONSOLE_VERSION, CI } = variables;
  if (CI || TERM === undefined || TERM === "dumb" || TERM.startsWith("screen")) return false;
  if (TERM_PROGRAM === "tmux") return Number.parseFloat(TERM_PROGRAM_VERSION ?? "") >= TMUX_MIN;
  if (["iTerm.app", "WezTerm", "vscode", "ghostty", "Hyper", "rio"].includes(TERM_PROGRAM ?? "")) return true;
  if (WT_SESSION !== undefined || KONSOLE_VERSION !== undefined) return true;
  if (/kitty|alacritty|foot|ghostty|contour/.test(TERM)) return true;
  return Number(VTE_VERSION) >= VTE_MIN;
}
