import type { RunningServer } from "../../server/index.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import type { Display } from "../progress/display.js";

export interface Stopping {
  /** Resolves with the reason, a sentence, when the open step will not be waited for; otherwise it never does. */
  readonly abandoned: Promise<string>;
  /** Of the process, if the run ends well. */
  exitCode(): number;
  /** Signals mean to the process what they did before. */
  close(): void;
}

/** A step takes seconds while workers live. Whoever sends SIGTERM will not wait much longer before SIGKILL. */
const TERMINATE_MS = 25_000;

/** Ends a run on Ctrl-C or SIGTERM: after its step and with a checkpoint; at once when Ctrl-C is pressed again. */
export function stopOnSignals(server: Pick<RunningServer, "stop">, display: Display): Stopping {
  let exitCode = 0;
  let deadline: NodeJS.Timeout | undefined;
  let abandon: (reason: string) => void;
  const abandoned = new Promise<string>((resolve) => {
    abandon = resolve;
  });
  const unlisten = onInterrupts({
    interrupt() {
      exitCode = EXIT_INTERRUPTED;
      display.print("stopping after this step and a checkpoint; press Ctrl-C again to stop at once");
      server.stop();
    },
    abort() {
      display.close();
      process.exit(EXIT_INTERRUPTED);
    },
    terminate() {
      deadline = setTimeout(() => abandon(`the step has not ended in ${TERMINATE_MS / 1_000} s`), TERMINATE_MS);
      display.print("stopping after this step and a checkpoint");
      server.stop();
    },
  });
  return {
    abandoned,
    exitCode: () => exitCode,
    close() {
      clearTimeout(deadline);
      unlisten();
    },
  };
}
