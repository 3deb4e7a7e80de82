/**
 * How far two backends' kernels are apart, kernel by kernel, over all that training calls: the gradients of every layer
 * case, and of the models that are trained. Two sums of n products that differ in their order differ by about ε·√n of
 * their terms; what is allowed is 1e-5·√n of the largest element, n being the longest sum behind an element (of Sum and
 * Mean, whose terms may cancel to nothing, of the largest sum of their terms' sizes). Integers and truth values have to
 * be equal.
 */
import * as tf from "@tensorflow/tfjs-core";
import { callGradient } from "../../backends/call-gradient.test.helper.js";
import { type BackendName, openBackend } from "../../backends/index.js";
import {
  type KernelCallRecord,
  recordKernelCalls,
  repeatCall,
  type Stored,
} from "../../backends/kernel-calls.test.helper.js";
import { layerCases, nameOf } from "../../backends/layer-cases.test.helper.js";
import { settings } from "../../backends/settings.test.helper.js";
import { messageOf } from "../../shared/errors.js";
import { type ModelCase, modelCases, openModel } from "./model-cases.test.helper.js";

export const TOLERANCE = 1e-5;

export interface KernelAgreement {
  readonly kernel: string;
  /** Calls that were compared: of different shapes, types or attributes. */
  readonly calls: number;
  /** The largest error, as a part of what is allowed for its call. */
  readonly worst: number;
  /** That call's error relative to the largest element, and its longest sum. */
  readonly error: number;
  readonly reduction: number;
  /** What was computed when it was called. */
  readonly during: string;
}

export interface AgreementReport {
  readonly device: BackendName;
  readonly reference: BackendName;
  /** By kernel, the worst first. */
  readonly kernels: readonly KernelAgreement[];
  /** Called on the device, but unknown to the reference. */
  readonly withoutCounterpart: readonly string[];
  /** What could not be computed on the device at all, with what it said. */
  readonly failed: readonly { readonly during: string; readonly message: string }[];
  /** Calls on the device, equal ones included. */
  readonly total: number;
}

/** Records what training calls on `device`, and repeats it on `reference`. */
export async function compareKernels(device: BackendName, reference: BackendName): Promise<AgreementReport> {
  await openBackend(device, settings);
  const recorder = recordKernelCalls();
  const failed: { during: string; message: string }[] = [];
  const during = async (name: string, compute: () => void | Promise<void>): Promise<void> => {
    recorder.begin(name);
    try {
      await compute();
    } catch (error) {
      failed.push({ during: name, message: messageOf(error) });
    }
  };
  try {
    for (const [index, example] of layerCases.entries()) {
      await during(nameOf(example), () => callGradient(example, index));
    }
    for (const [name, example] of Object.entries<ModelCase>(modelCases)) {
      await during(name, async () => {
        const model = await openModel(device, example);
        model.gradient(0);
        model.evaluate();
      });
    }
  } finally {
    recorder.stop();
  }
  await openBackend(reference, settings);
  const kernels = new Map<string, KernelAgreement>();
  const withoutCounterpart = new Set<string>();
  for (const call of recorder.calls) {
    const expected = repeatCall(call);
    if (expected === undefined) {
      withoutCounterpart.add(call.kernel);
      continue;
    }
    const { kernel, during } = call;
    const reduction = reductionLength(call);
    const error = Math.max(...call.outputs.map((output, i) => relativeError(output, expected[i], termsOf(call))));
    const worst = error / (TOLERANCE * Math.sqrt(reduction));
    const before = kernels.get(kernel);
    const calls = (before?.calls ?? 0) + 1;
    const isWorse = before === undefined || worst > before.worst;
    kernels.set(kernel, isWorse ? { kernel, calls, worst, error, reduction, during } : { ...before, calls });
  }
  return {
    device,
    reference,
    failed,
    total: recorder.total,
    kernels: [...kernels.values()].sort((a, b) => b.worst - a.worst),
    withoutCounterpart: [...withoutCounterpart].sort(),
  };
}

/** For a sum, the largest sum of its terms' magnitudes, on the current backend; else 0. */
function termsOf(call: KernelCallRecord): number {
  if (call.kernel !== tf.Sum && call.kernel !== tf.Mean) return 0;
  const { x } = call.inputs;
  const [sizes] = repeatCall({ ...call, inputs: { x: { ...x, values: Array.from(x.values, Math.abs) } } })!;
  return Array.from(sizes.values).reduce((largest, value) => Math.max(largest, value), 0);
}

/**
 * The largest difference, relative to the largest element, or to `scale` if that is more; infinite where the two can't
 * be compared at all.
 */
export function relativeError(found: Stored, expected: Stored | undefined, scale = 0): number {
  if (expected === undefined || String(found.shape) !== String(expected.shape)) return Number.POSITIVE_INFINITY;
  let [difference, largest] = [0, scale];
  for (let i = 0; i < expected.values.length; i++) {
    const [a, b] = [found.values[i], expected.values[i]];
    if (Object.is(a, b) || a === b) {
      if (Number.isFinite(b)) largest = Math.max(largest, Math.abs(b));
      continue;
    }
    if (!Number.isFinite(a) || !Number.isFinite(b) || expected.dtype !== "float32") return Number.POSITIVE_INFINITY;
    difference = Math.max(difference, Math.abs(a - b));
    largest = Math.max(largest, Math.abs(b));
  }
  return difference === 0 ? 0 : difference / largest;
}

/** How many terms the longest sum behind an element of the result has. */
export function reductionLength({ kernel, inputs, attributes, outputs }: KernelCallRecord): number {
  const size = (shape: readonly number[]): number => shape.reduce((product, extent) => product * extent, 1);
  const filter = (inputs.filter?.shape ?? attributes.filterShape ?? attributes.filterSize) as number[] | undefined;
  if (/MatMul/.test(kernel)) return inputs.a.shape.at(attributes.transposeA ? -2 : -1)!;
  if (/Conv.*BackpropFilter/.test(kernel)) return size(inputs.dy.shape.slice(0, -1));
  if (/^Depthwise/.test(kernel) || /Depthwise/.test(kernel))
    return size(filter!.slice(0, 2)) * (/Input/.test(kernel) ? filter![3] : 1);
  if (/Conv.*BackpropInput/.test(kernel)) return size(filter!.slice(0, -2)) * filter!.at(-1)!;
  if (/Conv[23]D/.test(kernel)) return size(filter!.slice(0, -1));
  if (/AvgPool|MaxPool.*Grad/.test(kernel) && Array.isArray(filter)) return size(filter);
  if (/Softmax|SoftMax/.test(kernel)) return Object.values(inputs)[0].shape.at(-1) ?? 1;
  if (kernel === "Cumsum") return inputs.x.shape[attributes.axis as number];
  const longest = Math.max(1, ...Object.values(inputs).map(({ shape }) => size(shape)));
  return Math.max(1, Math.round(longest / Math.max(1, Math.min(...outputs.map(({ shape }) => size(shape))))));
}
