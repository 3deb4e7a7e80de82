import type { Command } from "commander";
import { bashScript } from "./bash.js";
import { describeCommands, type KnownWords } from "./describe.js";
import { fishScript } from "./fish.js";
import { zshScript } from "./zsh.js";

const SCRIPTS = { bash: bashScript, zsh: zshScript, fish: fishScript };

export const SHELLS = Object.keys(SCRIPTS) as Shell[];
export type Shell = keyof typeof SCRIPTS;

/** A shell script that completes the program's command lines. */
export function completionScript(shell: Shell, program: Command, known: KnownWords): string {
  return SCRIPTS[shell](describeCommands(program, known));
}
