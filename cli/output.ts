/**
 * How a command handles a standard output that can no longer be written: its reader has gone (`| head`), or the disk
 * under `> FILE` is full. Most commands print their result, so they end. A command that trains stores its result in a
 * folder and only reports its progress: a full disk does not stop it, and when its reader has gone it ends as it does on
 * SIGTERM, so that nothing is lost.
 */
import { reasonOf, systemError } from "../shared/system-errors.js";

/** 128 + SIGPIPE, as shells report a program whose reader has gone. */
export const EXIT_BROKEN_PIPE = 141;

/** Ends a command that only reports its progress; undefined while the command prints its result. */
let endReporter: (() => void) | undefined;

/**
 * From now on standard output only reports progress; the result is stored elsewhere.
 * @param readerGone called when standard output has no reader any more
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
  // This can't be reported anywhere else; the exit code still shows it.
  process.stderr.on("error", () => {});
}
