import { IsobatchError } from "../../shared/errors.js";
import type { ControlRequest } from "../../shared/wire/index.js";
import type { Coordinator } from "./coordinator.js";

/**
 * Carries out a person's request to a run, from the command line or the dashboard.
 * @returns what will happen, a sentence
 * @throws {IsobatchError} `invalid_input` for a request that asks for nothing, `refused` for a worker that is not
 * attached
 */
export function control(coordinator: Coordinator, { stop, checkpoint, drain }: ControlRequest): string {
  if (stop != null) {
    coordinator.dispatch({ kind: "stop" });
    return "The run ends after this step, with a checkpoint.";
  }
  if (checkpoint != null) {
    coordinator.dispatch({ kind: "checkpointNow" });
    return "A checkpoint is written after this step.";
  }
  if (drain == null) throw new IsobatchError("invalid_input", "The request is empty; say stop, checkpoint or drain.");
  const workerId = drain.workerId ?? "";
  const member = coordinator.members.get(workerId);
  if (member?.writer === undefined) {
    const names = coordinator.members.attached().map(({ id }) => id);
    throw new IsobatchError(
      "refused",
      `There is no worker "${workerId}"; there ${names.length === 0 ? "is none" : `are ${names.join(", ")}`}.`,
    );
  }
  coordinator.dispatch({ kind: "workerLeaving", worker: member.id });
  member.writer.write({ drain: { reason: "" } }).catch(() => {});
  return `Worker ${member.id} finishes what it has and leaves.`;
}
