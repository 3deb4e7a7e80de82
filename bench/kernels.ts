/**
 * The SIMD kernels compared with memcpy, and the step of every optimizer and rule compared with that of unscaled Adam, on
 * 10 million parameters. All are bound by memory, so a kernel's share of memcpy's bandwidth shows how much it can still
 * gain. A bandwidth counts every byte that is read and every byte that is written. Every round measures all of them in
 * turn, and only times of the same round are compared, so that a machine that slows down for a while slows all of them. A
 * step adds κ gradients to the sums, with the rule's coefficients, and updates the weights, exactly as a shard does.
 *
 * Run as a program it prints one line of JSON.
 */
import { fileURLToPath } from "node:url";
import { allArms } from "../experiment/index.js";
import { createKernelMemory, instantiateKernels } from "../shared/kernels/index.js";
import {
  type Hyperparameters,
  leafCoefficients,
  type OptimizerSpec,
  stepCoefficients,
} from "../shared/optimizer/index.js";
import { createRandom } from "../shared/random.js";

const PARAMETERS = 10_000_000;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 28;
const ARRAY_BYTES = 4 * PARAMETERS;
/** κ of the steps. */
const MICRO_BATCHES = 4;
const REFERENCE: Hyperparameters = { learningRate: 1e-3, beta1: 0.9, beta2: 0.999, epsilon: 1e-8, weightDecay: 0.01 };

export interface KernelResult {
  /** Median time of one call. */
  readonly ms: number;
  /** 10⁹ bytes read and written per second, at the median time. */
  readonly gigabytesPerSecond: number;
  /** Median over the rounds of the kernel's bandwidth divided by memcpy's. */
  readonly shareOfMemcpy: number;
}

/** The fastest round's time per byte moved, divided by that of unscaled Adam. */
export interface RuleResult {
  /** Only the update of the weights. */
  readonly update: number;
  /** The whole step of κ micro-batches. */
  readonly step: number;
}

export interface KernelScenario {
  readonly scenario: "kernels";
  readonly parameters: number;
  readonly rounds: number;
  readonly results: Readonly<Record<string, KernelResult>>;
  /** κ of `rules`. */
  readonly microBatches: number;
  readonly rules: Readonly<Record<string, RuleResult>>;
}

/** Measures every kernel and every rule once per round; about fifteen seconds. */
export function kernelScenario(): KernelScenario {
  // Offsets that differ modulo 4 KiB: arrays a whole number of pages apart evict one another from the caches.
  const offsets = [0, 1, 2, 3, 4, 5].map((index) => index * (ARRAY_BYTES + 320));
  const [theta, m, v, s1, s2, g] = offsets;
  const memory = createKernelMemory(offsets[5] + ARRAY_BYTES);
  const kernels = instantiateKernels(memory);
  const random = createRandom(1);
  for (const offset of offsets) {
    const values = new Float32Array(memory.buffer, offset, PARAMETERS);
    for (let i = 0; i < PARAMETERS; i++) values[i] = random.next();
  }
  const [source, target] = [theta, m].map((offset) => new Uint8Array(memory.buffer, offset, ARRAY_BYTES));
  /** A rule's calls: one for each gradient that is added to the sums, and one that updates the weights. */
  const stepOf = (optimizer: OptimizerSpec) => {
    const coefficients = stepCoefficients({
      ...{ optimizer, hyperparameters: REFERENCE, microBatchSize: 64, firstMicroBatch: 0, microBatches: MICRO_BATCHES },
      ...{ schedule: { kind: "constant", warmupSamples: 0, totalSamples: 0, finalFraction: 1 }, c1: 0.5, c2: 0.5 },
    });
    const leaves = leafCoefficients(optimizer, REFERENCE, MICRO_BATCHES);
    const update = () => kernels.adam(theta, m, v, s1, s2, PARAMETERS, coefficients);
    const fold = () => {
      for (let leaf = 0; leaf < MICRO_BATCHES; leaf++) {
        const [w1, w2] = leaves === undefined ? [1, 1] : [leaves.w1[leaf], leaves.w2[leaf]];
        kernels[leaf === 0 ? "leaf" : "addLeaf"](g, s1, s2, PARAMETERS, w1, w2);
      }
    };
    return { fold, update, updated: coefficients.squareOfSum ? 7 : 8 };
  };
  const { update: adam } = stepOf({ name: "invariant", rule: "linear" });
  const { update: adamStandard } = stepOf({ name: "standard" });
  /** A name, the arrays it reads and writes (one read and written counts twice), and the call. */
  const cases: [name: string, arrays: number, call: () => void][] = [
    ["memcpy", 2, () => target.set(source)],
    ["leaf", 3, () => kernels.leaf(theta, s1, s2, PARAMETERS, 1, 1)],
    ["addLeaf", 5, () => kernels.addLeaf(theta, s1, s2, PARAMETERS, 1, 1)],
    ["add", 3, () => kernels.add(s1, s2, PARAMETERS)],
    ["allFinite", 1, () => kernels.allFinite(s1, PARAMETERS)],
    ["squaredNorm", 1, () => kernels.squaredNorm(s1, PARAMETERS)],
    ["adam", 8, adam],
    ["adamStandard", 7, adamStandard],
  ];
  const arms = allArms();
  const rules = arms.map(({ optimizer }) => stepOf(optimizer));
  const foldArrays = 3 + 5 * (MICRO_BATCHES - 1);
  const times = cases.map(() => [] as number[]);
  const ruleTimes = arms.map(() => [] as { update: number; step: number }[]);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const [index, [, , call]] of cases.entries()) {
      const start = performance.now();
      call();
      if (round >= WARM_UP_ROUNDS) times[index].push(performance.now() - start);
    }
    // Each round starts with another rule, so that none always follows the same one.
    for (let i = 0; i < rules.length; i++) {
      const index = (i + round) % rules.length;
      const { fold, update } = rules[index];
      const start = performance.now();
      fold();
      const folded = performance.now();
      update();
      const end = performance.now();
      if (round >= WARM_UP_ROUNDS) ruleTimes[index].push({ update: end - folded, step: end - start });
    }
  }
  const results = cases.map(([name, arrays], index) => {
    const ms = median(times[index]);
    const shares = times[index].map((time, round) => ((arrays / 2) * times[0][round]) / time);
    const result: KernelResult = {
      ms: rounded(ms),
      gigabytesPerSecond: rounded((arrays * ARRAY_BYTES) / ms / 1e6),
      shareOfMemcpy: rounded(median(shares)),
    };
    return [name, result] as const;
  });
  const unscaled = arms.findIndex(({ name }) => name === "standard");
  const perByte = (rule: number, part: "update" | "step"): number => {
    const arrays = (index: number): number => rules[index].updated + (part === "step" ? foldArrays : 0);
    const fastest = (index: number): number => Math.min(...ruleTimes[index].map((time) => time[part]));
    return rounded(fastest(rule) / arrays(rule) / (fastest(unscaled) / arrays(unscaled)));
  };
  return {
    ...{ scenario: "kernels", parameters: PARAMETERS, rounds: ROUNDS, results: Object.fromEntries(results) },
    microBatches: MICRO_BATCHES,
    rules: Object.fromEntries(
      arms.map(({ name }, i) => [name, { update: perByte(i, "update"), step: perByte(i, "step") }]),
    ),
  };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(kernelScenario()));
