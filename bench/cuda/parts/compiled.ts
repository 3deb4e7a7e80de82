/** Each model's compiled gradient beside its operations one by one, and beside itself, computed again. */
import { type NamedValues, openGradientOf } from "../../worker-gradient.js";
import { CHECKED_MODELS, type CheckedModelName, checkedModel } from "../models.js";
import { openDevice } from "../open-device.js";
import type { Part } from "../report.js";

export interface CompiledRow {
  readonly model: CheckedModelName;
  readonly sameBits: boolean;
  /** Where the bits are not the same: the largest difference of a tensor's elements, relative to its largest one. */
  readonly worst: number;
  /** Whether it came to the same bits a second time. */
  readonly repeats: boolean;
  /** Why it is not compiled; null: it is. */
  readonly refused: string | null;
}

/** Of a device that is not a CPU, on which a program may compute in another order. */
const TOLERANCE = 1e-3;
/** Watched, proven, and then some that the program computes. */
const WARM_UP = 3;

export const part: Part<CompiledRow> = async (context, say) => {
  const backend = await openDevice(context);
  for (const model of CHECKED_MODELS) {
    const refusals: string[] = [];
    const measured = checkedModel(context.size, model, 0.1);
    const compiled = await openGradientOf(backend, measured, { notice: (line) => void refusals.push(line) });
    for (let number = 0; number < WARM_UP; number++) compiled.of(number);
    const number = WARM_UP + 4;
    const [first, again] = [compiled.of(number), compiled.of(number)];
    compiled.close();
    const single = await openGradientOf({ ...backend, compiler: undefined }, measured);
    const expected = single.of(number);
    single.close();

    const repeats = sameBits(first, again);
    const same = sameBits(first, expected);
    const worst = Math.max(worstOf(first.tensors, expected.tensors), relative(first.loss, expected.loss));
    say.row({ model, sameBits: same, worst, repeats, refused: refusals[0] ?? null });
    for (const refusal of refusals) say.fail(`${model}: ${refusal}.`);
    if (!repeats) say.fail(`The gradient of ${model} has other bits when it is computed again.`);
    if (!(context.on === "gpu" ? worst <= TOLERANCE : same)) {
      say.fail(`The compiled gradient of ${model} is ${worst} off the operations one by one.`);
    }
  }
};

interface Computed {
  readonly loss: number;
  readonly tensors: readonly NamedValues[];
}

function sameBits(a: Computed, b: Computed): boolean {
  const bytes = ({ values: { buffer, byteOffset, byteLength } }: NamedValues): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return Object.is(a.loss, b.loss) && a.tensors.every((tensor, i) => bytes(tensor).equals(bytes(b.tensors[i])));
}

/** The largest difference of a tensor's elements, relative to its largest one; infinite where only one is finite. */
function worstOf(found: readonly NamedValues[], expected: readonly NamedValues[]): number {
  return Math.max(
    ...found.map(({ values }, tensor) => {
      let [difference, largest] = [0, 0];
      for (let i = 0; i < values.length; i++) {
        const [a, b] = [values[i], expected[tensor].values[i]];
        if (Object.is(a, b)) continue;
        if (!Number.isFinite(a - b)) return Number.POSITIVE_INFINITY;
        difference = Math.max(difference, Math.abs(a - b));
      }
      if (difference === 0) return 0;
      for (const value of expected[tensor].values) largest = Math.max(largest, Math.abs(value));
      return difference / largest;
    }),
  );
}

const relative = (found: number, expected: number): number =>
  found === expected ? 0 : Math.abs(found - expected) / Math.abs(expected);
