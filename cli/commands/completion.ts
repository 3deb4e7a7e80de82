import type { Command } from "commander";
import { BACKEND_NAMES } from "../../backends/machine/index.js";
import { PRESETS } from "../../experiment/invariance/presets.js";
import { builtInTasks } from "../../tasks/built-in-tasks.js";
import { completionScript, type Shell } from "../completion/index.js";

/** Prints a shell's script. Shells run this at each start, so it does not load TensorFlow.js. */
export function completion(shell: Shell, program: Command): void {
  const known = {
    task: builtInTasks(),
    "--task": builtInTasks(),
    "--backend": BACKEND_NAMES,
    "--preset": Object.keys(PRESETS),
  };
  process.stdout.write(completionScript(shell, program, known));
}
