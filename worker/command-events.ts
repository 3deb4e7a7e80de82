import type { WorkerCommand } from "../shared/wire/index.js";
import type { WorkerEvent } from "./core/index.js";
import type { Joined } from "./join.js";
import { checkEvaluation, checkLease } from "./plausible.js";

/**
 * A command of the coordinator as the core's event; undefined if this version does not know the command.
 * @throws {IsobatchError} if the server asks for something that the run does not have
 */
export function commandEvent(
  command: WorkerCommand,
  { task, evaluationBatches }: Pick<Joined, "task" | "evaluationBatches">,
): WorkerEvent | undefined {
  const { lease, evaluation, term, drain, ended } = command;
  if (lease) {
    checkLease(lease, task);
    return { kind: "lease", lease };
  }
  if (evaluation) {
    checkEvaluation(evaluation, evaluationBatches);
    return { kind: "evaluation", lease: evaluation };
  }
  if (term) return { kind: "termOpened", term: term.term, version: term.version };
  if (drain) return { kind: "drain", reason: drain.reason };
  if (ended) return { kind: "runEnded", ok: ended.ok, reason: ended.reason };
  return undefined;
}
