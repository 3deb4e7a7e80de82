import type { StopOptions, TrainingRun } from "../../index.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { EXIT_BROKEN_PIPE, reportOnly } from "../output.js";
import type { Display } from "../progress/display.js";

export interface Stopping {
  /** Resolves with the reason when the open step is no longer waited for; otherwise it never does. */
  readonly abandoned: Promise<string>;
  /** Resolves at the first signal. */
  readonly requested: Promise<void>;
  /** The process's exit code if the run ends well. */
  exitCode(): number;
  /** Stops handling signals. */
  close(): void;
}

/** A step takes seconds while workers live, and SIGKILL usually follows SIGTERM after 30 s. */
const TERMINATE_MS = 25_000;

/**
 * Ends a run on Ctrl-C or SIGTERM, or when nobody reads what it prints: after its step, with a checkpoint; at once when
 * Ctrl-C is pressed again.
 *
 * @param workersWait on SIGTERM: the orchestrator that sends it may start the server again elsewhere
 */
export function stopOnSignals(
  run: Pick<TrainingRun, "stop" | "status">,
  display: Display,
  workersWait: boolean,
): Stopping {
  let exitCode = 0;
  let deadline: NodeJS.Timeout | undefined;
  let abandon: (reason: string) => void;
  const abandoned = new Promise<string>((resolve) => {
    abandon = resolve;
  });
  let request: () => void;
  const requested = new Promise<void>((resolve) => {
    request = resolve;
  });
  const stop = (how?: StopOptions): void => {
    // The result is reported where the run is followed.
    run.stop(how).catch(() => {});
  };
  const terminate = (): void => {
    deadline ??= setTimeout(() => abandon(`the step has not ended in ${TERMINATE_MS / 1_000} s`), TERMINATE_MS);
    stop({ workersWait });
  };
  const unreport = reportOnly(() => {
    request();
    if (run.status().phase === "ended") return;
    exitCode = EXIT_BROKEN_PIPE;
    terminate();
  });
  const unlisten = onInterrupts({
    interrupt() {
      request();
      // The run has ended already; only its server is still there.
      if (run.status().phase === "ended") return;
      exitCode = EXIT_INTERRUPTED;
      display.print("stopping after this step and a checkpoint; press Ctrl-C again to stop at once");
      stop();
    },
    abort() {
      display.close();
      process.exit(EXIT_INTERRUPTED);
    },
    terminate() {
      request();
      if (run.status().phase === "ended") return;
      display.print(`stopping after this step and a checkpoint${workersWait ? "; workers wait for the server" : ""}`);
      terminate();
    },
  });
  return {
    abandoned,
    requested,
    exitCode: () => exitCode,
    close() {
      clearTimeout(deadline);
      unlisten();
      unreport();
    },
  };
}
