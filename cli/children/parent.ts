/** The first message of a child. */
export const RUNNING = "running";

/**
 * The other end of `startChild`: what a process does that was started with an IPC channel to the process it belongs
 * to. It says that it runs; it ends when that one is gone, and does not end by Ctrl-C, which a terminal sends to both.
 */
export function followParent(): void {
  const end = (): never => process.exit(1);
  if (!process.connected) end();
  process.on("disconnect", end);
  process.on("SIGINT", () => {});
  // With a callback an error goes there; if the parent is gone meanwhile, "disconnect" follows.
  process.send?.(RUNNING, () => {});
  // The listener alone would keep this process alive.
  process.channel?.unref();
}
