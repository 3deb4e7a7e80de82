/**
 * What the programs have in common that belong to a process of the library. Each gets its order and its settings as its first message;
 * its code is loaded here, so that a failure of that is reported like all others.
 */

import { parseFailSetting, setFailPoint } from "../../shared/fail-point.js";
import { type FirstMessage, followParent, nextMessage } from "../children/parent.js";
import type { Settings } from "../types/run.js";
import { endProcess, exitCodeOf, failureText } from "./process-end.js";
import { prepareProcess } from "./process-settings.js";
import { settled } from "./unsettled.js";

/** Does what the order says; resolves with the process's exit code. */
export type Perform<Order> = (order: Order, settings: Settings) => Promise<number>;

export async function runProgram<Order>(load: () => Promise<Perform<Order>>): Promise<void> {
  prepareProcess();
  process.on("uncaughtException", (error) => {
    process.stderr.write(failureText(error));
    process.exit(exitCodeOf(error));
  });
  try {
    followParent();
    const { order, settings } = (await nextMessage()) as FirstMessage;
    setFailPoint(parseFailSetting(settings.ISOBATCH_FAIL_AT));
    const perform = await load();
    endProcess(await settled(perform(order as Order, settings)));
  } catch (error) {
    process.stderr.write(failureText(error));
    endProcess(exitCodeOf(error));
  }
}
