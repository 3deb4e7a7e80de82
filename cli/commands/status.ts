import { type Address, call, coordinatorService, type Status } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { createPaint } from "../progress/view.js";
import { describeStatus } from "../status/describe.js";
import { statusJson } from "../status/json.js";
import { openScreen } from "../status/screen.js";
import { watchStatus } from "../status/watch.js";
import { CALL_DEADLINE_MS, type ControlAccess, connected } from "./connected.js";

export interface StatusOptions extends ControlAccess {
  readonly json?: boolean;
  readonly once?: boolean;
}

/** Shows the state of a run: on a terminal until the run ends or the person leaves, elsewhere once. */
export async function status(
  given: Address | undefined,
  options: StatusOptions,
  environment: Environment,
): Promise<void> {
  const { stdin, stdout } = process;
  await connected(given, options, environment, async ({ coordinator }, address) => {
    const ask = (signal?: AbortSignal): Promise<Status> =>
      call(coordinator, coordinatorService.GetStatus, {}, { deadlineMs: CALL_DEADLINE_MS, signal });
    const now = await ask();
    if (options.json) return void stdout.write(`${JSON.stringify(statusJson(now), null, 2)}\n`);
    if (options.once || !stdout.isTTY) return void stdout.write(`${describeStatus(now).join("\n")}\n`);
    const paint = createPaint(environment.color);
    const screen = openScreen(stdin, stdout);
    const last = await watchStatus({ first: now, ask, address, screen, paint }).finally(screen.close);
    if (last.phase === "ended") stdout.write(`${describeStatus(last).join("\n")}\n`);
  });
}
