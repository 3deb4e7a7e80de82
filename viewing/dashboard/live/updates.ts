import type { MetricsLine } from "../../../server/record/index.js";
import { evaluationRow, stepRow } from "../../charts/index.js";
import { happeningOf } from "../../happenings/index.js";
import type { Update } from "../view/live.js";

/** What a line of metrics.jsonl means for the page. Pure. @param phases in whose order a step's times are sent */
export function updatesOf(line: MetricsLine, phases: readonly string[]): Update[] {
  if (line.type === "step") return [["step", stepRow(line, phases)]];
  if (line.type === "evaluation") return [["evaluation", evaluationRow(line)]];
  const happening = happeningOf(line);
  return [
    ...(line.event === "restored" ? [["back", Number(line.step)] as const] : []),
    ...(happening === undefined ? [] : [["happening", happening] as const]),
  ];
}
