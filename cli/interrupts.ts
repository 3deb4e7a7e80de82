import { EXIT_INTERRUPTED } from "./failure.js";

/**
 * How a command that has work to finish handles Ctrl-C and SIGTERM: the first Ctrl-C asks it to stop, the second ends it
 * at once; SIGTERM, which an orchestrator sends, only asks.
 */
export interface InterruptHandlers {
  /** The first Ctrl-C. */
  readonly interrupt: () => void;
  /** The second Ctrl-C. */
  readonly abort: () => void;
  /** The first SIGTERM. */
  readonly terminate: () => void;
}

/** Listens until the returned function is called. */
export function onInterrupts(handlers: InterruptHandlers): () => void {
  let interrupts = 0;
  let terminated = false;
  const onInterrupt = (): void => {
    interrupts += 1;
    if (interrupts === 1) handlers.interrupt();
    else handlers.abort();
  };
  const onTerminate = (): void => {
    if (!terminated) handlers.terminate();
    terminated = true;
  };
  process.on("SIGINT", onInterrupt);
  process.on("SIGTERM", onTerminate);
  return () => {
    process.off("SIGINT", onInterrupt);
    process.off("SIGTERM", onTerminate);
  };
}

/** Waits until something is started. Until then nothing is lost by ending at once. */
export async function starting<Started>(start: Promise<Started>): Promise<Started> {
  const unlisten = onInterrupts({
    interrupt: () => process.exit(EXIT_INTERRUPTED),
    abort: () => process.exit(EXIT_INTERRUPTED),
    terminate: () => process.exit(0),
  });
  return start.finally(unlisten);
}
