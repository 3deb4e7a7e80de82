import type { RunningServer } from "../../server/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import type { Display } from "../progress/display.js";

export interface Stopping {
  /** Rejects when a run that SIGTERM was to end takes too long about it. */
  readonly overdue: Promise<never>;
  /** Of the process, if the run ends well. */
  exitCode(): number;
  /** Signals mean to the process what they did before. */
  close(): void;
}

/** A step takes seconds while workers live, and for ever when none does. */
const TERMINATE_MS = 25_000;

/** Ends a run on Ctrl-C or SIGTERM: after its step and with a checkpoint; at once when Ctrl-C is pressed again. */
export function stopOnSignals(server: Pick<RunningServer, "stop">, display: Display): Stopping {
  let exitCode = 0;
  let deadline: NodeJS.Timeout | undefined;
  let giveUp: (error: IsobatchError) => void;
  const overdue = new Promise<never>((_, reject) => {
    giveUp = reject;
  });
  overdue.catch(() => {});
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
      display.print("stopping after this step and a checkpoint");
      const sentence =
        `The step did not end within ${TERMINATE_MS / 1_000} s of SIGTERM, so the run was ended without it; ` +
        "the same command goes on from the newest checkpoint.";
      deadline = setTimeout(() => giveUp(new IsobatchError("interrupted", sentence)), TERMINATE_MS);
      server.stop();
    },
  });
  return {
    overdue,
    exitCode: () => exitCode,
    close() {
      clearTimeout(deadline);
      unlisten();
    },
  };
}
