import assert from "node:assert/strict";
import * as tf from "@tensorflow/tfjs-core";
import fc from "fast-check";
import { createRandom, type Random } from "../shared/random.js";
import { type BackendName, openBackend } from "./index.js";
import { settings } from "./settings.test.helper.js";

/**
 * Checks tfjs's gradients against finite differences in float64. A reference is the operation's definition written
 * out in plain loops; the loss is Σ weight · y with random weights, and its central differences are compared with
 * what tfjs computes in float32. No tfjs backend is taken for the truth.
 */

export const backendNames: BackendName[] = ["wasm", "cpu"];

/** A tensor in float64. */
export interface Array64 {
  shape: number[];
  values: Float64Array;
}

export const sizeOf = (shape: number[]): number => shape.reduce((product, size) => product * size, 1);

export function array64(shape: number[], values?: ArrayLike<number>): Array64 {
  return { shape, values: values === undefined ? new Float64Array(sizeOf(shape)) : Float64Array.from(values) };
}

/** Random numbers in [−1, 1), exact in float32. */
export function randomArray(shape: number[], random: Random): Array64 {
  return array64(
    shape,
    Array.from({ length: sizeOf(shape) }, () => Math.fround(2 * random.next() - 1)),
  );
}

/** Numbers in [−1, 1) that differ by at least 1/size from each other and from 0: maxima and kinks stay put. */
export function distinctArray(shape: number[], random: Random): Array64 {
  const size = sizeOf(shape);
  const values = Array.from({ length: size }, (_, i) => Math.fround((2 * i + 1.25) / size - 1));
  for (let i = size - 1; i > 0; i--) {
    const j = random.below(i + 1);
    [values[i], values[j]] = [values[j], values[i]];
  }
  return array64(shape, values);
}

export interface GradientCase {
  inputs: Array64[];
  /** The operation in tfjs. */
  operation: (...inputs: tf.Tensor[]) => tf.Tensor;
  /** The same in float64, from its definition. */
  reference: (...inputs: Array64[]) => Array64;
}

export interface Tolerance {
  /** The step of the central difference, small compared with what moves a kink. */
  step?: number;
  /** Largest difference, relative to the largest gradient, or to 1 where that is less. */
  gradient?: number;
}

/** Asserts that the operation's value and the gradients for all its inputs are right on the current backend. */
export function checkGradient(example: GradientCase, random: Random, tolerance: Tolerance = {}): void {
  const { step = 1e-4, gradient = 1e-5 } = tolerance;
  const expected = example.reference(...example.inputs);
  const weights = randomArray(expected.shape, random);
  const found = tf.tidy(() => {
    const tensors = example.inputs.map(({ shape, values }) => tf.tensor(Float32Array.from(values), shape));
    const y = example.operation(...tensors);
    assert.deepEqual(y.shape, expected.shape);
    const dy = tf.tensor(Float32Array.from(weights.values), weights.shape);
    const gradients = tf.grads((...xs: tf.Tensor[]) => example.operation(...xs))(tensors, dy);
    return { y: y.dataSync(), gradients: gradients.map((g) => g.dataSync()) };
  });
  assertClose(found.y, expected.values, gradient, "value");
  const loss = (): number => {
    const { values } = example.reference(...example.inputs);
    return values.reduce((sum, value, i) => sum + value * weights.values[i], 0);
  };
  example.inputs.forEach(({ values }, n) => {
    const differences = values.map((value, i) => {
      values[i] = value + step;
      const above = loss();
      values[i] = value - step;
      const below = loss();
      values[i] = value;
      return (above - below) / (2 * step);
    });
    assertClose(found.gradients[n], differences, gradient, `gradient for input ${n}`);
  });
}

export function assertClose(
  found: ArrayLike<number>,
  expected: ArrayLike<number>,
  tolerance: number,
  what: string,
): void {
  assert.equal(found.length, expected.length, `${what}: length`);
  const scale = Math.max(1, ...Array.from(expected, Math.abs));
  for (let i = 0; i < expected.length; i++) {
    if (Math.abs(found[i] - expected[i]) <= tolerance * scale) continue;
    assert.fail(`${what}: element ${i} is ${found[i]}, should be ${expected[i]} (± ${tolerance * scale})`);
  }
}

/**
 * Runs `check` on `runs` random cases, the same ones each time, on one backend; a failing case is made smaller and
 * shown. The tensors that a case leaves behind count as a failure.
 */
export async function forCases<Sizes>(
  backend: BackendName,
  sizes: fc.Arbitrary<Sizes>,
  check: (sizes: Sizes, random: Random) => void,
  runs = 60,
): Promise<void> {
  await openBackend(backend, settings);
  fc.assert(
    fc.property(sizes, (example) => {
      const before = tf.memory().numTensors;
      check(example, createRandom(1));
      assert.equal(tf.memory().numTensors, before, "tensors were left behind");
    }),
    { seed: 20_240_218, numRuns: runs, includeErrorInReport: true },
  );
}
