/** Compares each model's compiled gradient with its operations computed one by one, and with itself computed again. */

import { type Backend, openBackend } from "../../../backends/index.js";
import { settings } from "../../../backends/settings.test.helper.js";
import { differenceOf, differencesOf, type GradientResult, nudged } from "../../../compute/gradients/index.js";
import { messageOf } from "../../../shared/errors.js";
import { openGradientOf } from "../../worker-gradient.js";
import { CHECKED_MODELS, type CheckedModelName, checkedModel } from "../models.js";
import type { CheckPart, PartContext, Saying } from "../report.js";

export interface CompiledRow {
  readonly model: CheckedModelName;
  /** Whether it has the bits of its operations computed one by one. */
  readonly sameBits: boolean;
  /** The largest relative difference of a tensor: the norm of the difference divided by the tensor's norm. */
  readonly worst: number;
  /** Whether a second call gave the same bits. */
  readonly repeats: boolean;
  /** Why it is not compiled; null: it is. */
  readonly refused: string | null;
}

const DROPOUT = 0.1;
/** The number of gradients before those that are compared: in the first ones a program is made and proven. */
const WARM_UP = 3;
const NUMBER = 7;

export const part: CheckPart<CompiledRow> = async (context, say) => {
  const backend = await openBackend(context.backend, settings);
  for (const model of CHECKED_MODELS) {
    try {
      await check(backend, context, model, say);
    } catch (error) {
      say.fail(`${model}: ${messageOf(error)}`);
    }
  }
};

async function check(
  backend: Backend,
  { on, size }: PartContext,
  model: CheckedModelName,
  say: Saying<CompiledRow>,
): Promise<void> {
  const refusals: string[] = [];
  const measured = checkedModel(size, model, DROPOUT);
  const compiled = await openGradientOf(backend, measured, { notice: (line) => void refusals.push(line) });
  for (let number = 0; number < WARM_UP; number++) compiled.of(number);
  const [first, again] = [compiled.of(NUMBER), compiled.of(NUMBER)];
  const { results } = compiled;
  compiled.close();
  const byOperations = async (change?: (weights: Float32Array) => Float32Array): Promise<GradientResult> => {
    const single = await openGradientOf({ ...backend, compiler: undefined }, measured, { change });
    const result = single.of(NUMBER);
    single.close();
    return result;
  };
  const operations = await byOperations();
  const others = { operations, nudged: await byOperations((weights) => nudged([weights])[0]) };

  const repeats = haveSameBits(first, again);
  const sameBits = haveSameBits(first, operations);
  const worst = sameBits ? 0 : Math.max(...differencesOf(first, operations, results));
  say.row({ model, sameBits, worst, repeats, refused: refusals[0] ?? null });
  for (const refusal of refusals) say.fail(`${model}: ${refusal}.`);
  if (!repeats) say.fail(`The gradient of ${model} has other bits when it is computed again.`);
  // On a processor a program has the bits of its operations.
  const difference =
    differenceOf({ program: first, ...others }, results) ?? (on === "cpu" && !sameBits ? "in some bits" : undefined);
  if (difference !== undefined)
    say.fail(`The compiled gradient of ${model} differs from its operations: ${difference}.`);
}

function haveSameBits(a: GradientResult, b: GradientResult): boolean {
  const bytes = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return Object.is(a.loss, b.loss) && a.tensors.every((tensor, i) => bytes(tensor).equals(bytes(b.tensors[i])));
}
