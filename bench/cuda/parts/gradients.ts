/**
 * Times one micro-batch's gradient as a compute thread computes it: raw bytes are decoded and uploaded, the model runs forward and
 * backward, and the gradient ends up in the worker's memory, checked to be finite. Reports the program's size as well.
 */
import { type Backend, openBackend, type ProgramSize } from "../../../backends/index.js";
import { settings } from "../../../backends/settings.test.helper.js";
import { measure } from "../../gradients.js";
import { fastest, median } from "../../statistics.js";
import { openGradientOf } from "../../worker-gradient.js";
import { CHECKED_MODELS, type CheckedModelName, checkedModel } from "../models.js";
import type { CheckPart, CheckSize } from "../report.js";
import { timesOf } from "../times.js";

export interface GradientRow {
  readonly model: CheckedModelName;
  readonly batch: number;
  readonly parameters: number;
  /** The median time. */
  readonly ms: number;
  readonly fastestMs: number;
  readonly runs: number;
  /** The median with the gradient left on the device to be summed there; null: it is summed on the host. */
  readonly inPlaceMs: number | null;
  /** The times of the first gradients, in which the program is made and proven. */
  readonly firstMs: readonly number[];
  /** The size of its program; null: it has none. */
  readonly size: ProgramSize | null;
}

const FIRST = 5;
const RUNS: Record<CheckSize, number> = { gpu: 30, cpu: 9, quick: 3 };
const MEASURE_MS = 3000;

export const part: CheckPart<GradientRow> = async (context, say) => {
  const backend = await openBackend(context.backend, settings);
  for (const model of CHECKED_MODELS) {
    const measured = checkedModel(context.size, model);
    const watched = watchSize(backend);
    const gradient = await openGradientOf(watched.backend, measured, {
      notice: (line) => say.fail(`${model}: ${line}.`),
    });
    const firstMs = measure(gradient.compute, FIRST).map(Math.round);
    const times = await timesOf(gradient.compute, { runsMax: RUNS[context.size], msMax: MEASURE_MS });
    const inPlace = gradient.inPlace();
    const inPlaceTimes = inPlace && (await timesOf(inPlace, { runsMax: RUNS[context.size], msMax: MEASURE_MS / 2 }));
    gradient.close();
    say.row({
      ...{ model, batch: measured.batch, parameters: gradient.parameters },
      ...{ ms: median(times), fastestMs: fastest(times), runs: times.length, firstMs },
      inPlaceMs: inPlaceTimes === undefined ? null : median(inPlaceTimes),
      size: watched.size() ?? null,
    });
  }
};

/** Wraps a backend so that the size of the program it made last is known. */
function watchSize(backend: Backend): { backend: Backend; size(): ProgramSize | undefined } {
  const { compiler } = backend;
  let size: ProgramSize | undefined;
  if (compiler === undefined) return { backend, size: () => size };
  const compile: typeof compiler.compile = (first, second) => {
    const program = compiler.compile(first, second);
    size = program.size;
    return program;
  };
  return { backend: { ...backend, compiler: { ...compiler, compile } }, size: () => size };
}
