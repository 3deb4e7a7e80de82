#!/usr/bin/env node
/**
 * The program `isobatch`. Whatever happens in it ends here: in an exit code, and on standard error in one sentence
 * if a person can do something about it, or in a stack if it is a bug.
 */
import { readEnvironment } from "./environment.js";
import { exitCodeOf, failureText, isBrokenPipe } from "./failure.js";
import { createProgram } from "./program.js";
import { settled } from "./unsettled.js";

/** What still holds the process once its command has ended gets this long. */
const LINGER_MS = 2_000;
/** 128 + SIGPIPE: whoever read the output has gone. */
const EXIT_BROKEN_PIPE = 141;

function end(exitCode: number): void {
  process.exitCode = exitCode;
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

function fail(error: unknown): void {
  process.stderr.write(failureText(error));
  end(exitCodeOf(error));
}

process.stdout.on("error", (error) => (isBrokenPipe(error) ? process.exit(EXIT_BROKEN_PIPE) : fail(error)));
process.on("uncaughtException", (error) => {
  process.stderr.write(failureText(error));
  process.exit(exitCodeOf(error));
});

try {
  const program = createProgram(readEnvironment(process.env), end);
  await settled(program.parseAsync(process.argv));
} catch (error) {
  fail(error);
}
