#!/usr/bin/env node
/**
 * The program `isobatch`. Whatever happens in it ends here: in an exit code, and on standard error in one sentence
 * if a person can do something about it, or in a stack if it is a bug.
 */
import { endProcess } from "../api/programs/process-end.js";
import { prepareProcess } from "../api/programs/process-settings.js";
import { settled } from "../api/programs/unsettled.js";
import { exitCodeOf, failureText } from "./failure.js";
import { watchOutput } from "./output.js";

function fail(error: unknown): void {
  process.stderr.write(failureText(error));
  endProcess(exitCodeOf(error));
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
  const program = createProgram(environment, endProcess);
  await settled(program.parseAsync(process.argv));
} catch (error) {
  fail(error);
}
