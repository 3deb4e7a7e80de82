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
  // A signal that comes now is too late to change the exit code. When Node.js ends a process by itself, it removes the
  // handlers of signals first; process.exit does not.
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
  // Loaded here, so that a failure of it is reported like all others: its modules may be more files than may be open.
  const { createProgram } = await import("./program.js");
  const { readEnvironment } = await import("./environment.js");
  const { setFailPoint } = await import("../shared/fail-point.js");
  const environment = readEnvironment(process.env);
  setFailPoint(environment.failPoint);
  const program = createProgram(environment, end);
  await settled(program.parseAsync(process.argv));
} catch (error) {
  fail(error);
}
