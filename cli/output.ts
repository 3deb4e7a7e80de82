/**
 * What becomes of a command whose standard output can no longer be written: its reader has gone (`| head`), or the disk
 * under `> FILE` is full. What most commands print is their result, so they end. A command that trains keeps its result in
 * a folder and only reports what it does: a full disk does not stop it, and when its reader has gone it ends as it does on
 * SIGTERM, so that nothing is lost.
 */
import { reasonOf, systemError } from "../shared/system-errors.js";

/** 128 + SIGPIPE, as a shell says it of a program whose reader has gone. */
export const EXIT_BROKEN_PIPE = 141;

/** Ends the command that only reports; undefined while what is printed is the result. */
let endReporter: (() => void) | undefined;

/**
 * From now on standard output only reports on work whose result is elsewhere.
 * @param readerGone is called when nobody reads it any longer
 * @returns a function that ends this
 */
export function reportOnly(readerGone: () => void): () => void {
  endReporter = readerGone;
  return () => {
    endReporter = undefined;
  };
}

/** @param fail ends the process with the reason */
export function watchOutput(fail: (error: unknown) => void): void {
  let lost = false;
  process.stdout.on("error", (error: NodeJS.ErrnoException) => {
    // Each further line fails too.
    if (lost) return;
    lost = true;
    const readerGone = error.code === "EPIPE";
    if (endReporter === undefined) {
      if (readerGone) process.exit(EXIT_BROKEN_PIPE);
      fail(systemError(error, "write to standard output"));
    } else if (readerGone) endReporter();
    else {
      process.stderr.write(
        `Can't write to standard output: ${reasonOf(error)}. The command continues without its reports.\n`,
      );
    }
  });
  // There is nowhere left to say so; the exit code still shows it.
  process.stderr.on("error", () => {});
}
