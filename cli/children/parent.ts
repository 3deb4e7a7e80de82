/**
 * The other end of `startChild`: what a process does that was started with an IPC channel to the process it belongs
 * to. It ends when that one is gone, and does not end by Ctrl-C, which a terminal sends to both.
 */
export function followParent(): void {
  const end = (): never => process.exit(1);
  if (!process.connected) end();
  process.on("disconnect", end);
  process.on("SIGINT", () => {});
  // The listener alone would keep this process alive.
  process.channel?.unref();
}
