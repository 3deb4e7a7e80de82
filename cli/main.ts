#!/usr/bin/env node
/**
 * The program `isobatch`. Whatever happens in it ends here: in an exit code, and on standard error in one sentence
 * if a person can do something about it, or in a stack if it is a bug.
 */
import { exitCodeOf, failureText } from "./failure.js";
import { watchOutput } from "./output.js";
import { prepareProcess } from "./process-settings.js";
import { settled } from "./unsettled.js";

/** What still holds the process once its command has ended gets this long. */
const LINGER_MS = 2_000;

function end(exitCode: number): void {
  process.exitCode = exitCode;
  // Whoever asks it to end now is too late to make another end of it. As Node.js ends by itself, it takes a process
  // apart with no handler for signals any more; process.exit does not.
  process.on("SIGTERM", () => process.exit());
  process.once("beforeExit", () => process.exit());
  setTimeout(() => process.exit(), LINGER_MS).unref();
}

function fail(error: unknown): void {
  process.stderr.write(failureText(error));
  end(exitCodeOf(error));
}

prepareProcess();
watchOutput(fail);
process.on("uncaughtException", (error) => {
  process.stderr.write(failureText(error));
  process.exit(exitCodeOf(error));
});

try {
  // Loaded here, so that what fails in it is told as everything else: its modules may be more files than may be open.
  const { createProgram } = await import("./program.js");
  const { readEnvironment } = await import("./environment.js");
  const program = createProgram(readEnvironment(process.env), end);
  await settled(program.parseAsync(process.argv));
} catch (error) {
  fail(error);
}
