import { type Address, type ControlRequest, call, coordinatorService } from "../../shared/wire/index.js";
import type { Environment } from "../environment.js";
import { CALL_DEADLINE_MS, type ControlAccess, connected } from "./connected.js";

/** Sends a request to a running server and prints its answer. */
export async function control(
  address: Address | undefined,
  request: ControlRequest,
  options: ControlAccess,
  environment: Environment,
): Promise<void> {
  const { message } = await connected(address, options, environment, ({ coordinator }) =>
    call(coordinator, coordinatorService.Control, request, { deadlineMs: CALL_DEADLINE_MS }),
  );
  process.stdout.write(`${message}\n`);
}
