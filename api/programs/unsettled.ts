import { whatIsAwaited } from "../../shared/awaited.js";
import { bugsUrl } from "./bug-report.js";
import { EXIT_BUG } from "./process-end.js";

/**
 * Ends the process as a bug ends it, with what it waits for, when nothing is left that could settle `command`. Node.js
 * would end it with exit code 13 and no word.
 */
export async function settled<T>(command: Promise<T>): Promise<T> {
  // Not emitted where somebody has called process.exit.
  process.once("beforeExit", giveUp);
  try {
    return await command;
  } finally {
    process.off("beforeExit", giveUp);
  }
}

function giveUp(): void {
  const waits = whatIsAwaited();
  const what = waits.length === 0 ? "the command to end" : waits.join(", and for ");
  process.stderr.write(
    `This is a bug in Isobatch: nothing is left that could end the wait for ${what}. Please report it at ${bugsUrl()}\n`,
  );
  process.exit(EXIT_BUG);
}
