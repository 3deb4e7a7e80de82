import type { EventLine, MetricsLine, StepLine } from "../../../server/record/index.js";
import type { StepRow } from "../view/history.js";
import type { Happening, Update } from "../view/live.js";

/** A line of metrics.jsonl as the page is told of it. Pure. @param phases in whose order a step's times are sent */
export function updatesOf(line: MetricsLine, phases: readonly string[]): Update[] {
  if (line.type === "step") return [["step", rowOf(line, phases)]];
  if (line.type === "evaluation") {
    const { step, samples, loss, accuracy } = line;
    return [["evaluation", [step, samples, rounded(loss), accuracy]]];
  }
  const happening = happeningOf(line);
  return [
    ...(line.event === "restored" ? [["back", Number(line.step)] as const] : []),
    ...(happening === undefined ? [] : [["happening", happening] as const]),
  ];
}

function rowOf(
  { step, samples, loss, learningRate, microBatches, workers, noiseScale, ms }: StepLine,
  phases: readonly string[],
): StepRow {
  const times = phases.map((phase) => rounded(ms[phase]) ?? 0);
  return [step, samples, rounded(loss), learningRate, microBatches, workers, rounded(noiseScale?.scale), ...times];
}

/** Six digits are more than a screen shows. JSON has no NaN: it is null there already. */
function rounded(value: number | null | undefined): number | null {
  return typeof value === "number" && Number.isFinite(value) ? Number(value.toPrecision(6)) : null;
}

function happeningOf(line: EventLine): Happening | undefined {
  const { at } = line;
  const step = Number(line.step);
  switch (line.event) {
    case "checkpoint":
      return { at, text: `Checkpoint of step ${count(step)} written` };
    case "restored": {
      const again = Number(line.recomputedSteps ?? 0);
      const redone = again === 0 ? "" : `; ${count(again)} ${again === 1 ? "step is" : "steps are"} computed again`;
      return {
        at,
        text: `${step === 0 ? "Started" : `Went on from step ${count(step)}`}, term ${count(Number(line.term))}${redone}`,
      };
    }
    case "failed":
      return { at, text: `The run has failed: ${line.reason}` };
    case "extended":
    case "note":
      return { at, text: sentence(String(line.message)) };
    default:
      return undefined;
  }
}

function count(value: number): string {
  return value.toLocaleString("en-US");
}

function sentence(text: string): string {
  return `${text.slice(0, 1).toUpperCase()}${text.slice(1)}`;
}
