import { span } from "../../shared/trace/index.js";
import type { ShardWork } from "./effects.js";

/** Records in the trace how long the work took, given its start. */
export function traceWork(work: ShardWork, begun: number): void {
  switch (work.kind) {
    case "compute": {
      const { moves } = work;
      const update = moves.find((move) => move.kind === "apply");
      if (update === undefined) return span("merged", begun, moves[0].chunk, moves.length);
      return span("Adam", begun, update.plan.step, update.chunk, moves.length);
    }
    case "publish":
      return span("published", begun, work.version, work.chunk);
    case "snapshot":
      return span("snapshot", begun, work.mark.step);
    case "load":
      return span("restore", begun, work.step);
  }
}
