/**
 * The SIMD kernels against memcpy, on 10 million parameters: both are bound by memory, so the share of memcpy's
 * bandwidth is what a kernel can still gain. A kernel's bandwidth counts every byte it reads and every byte it
 * writes, memcpy's too. All are measured in turn in every round and compared within the round, so that a machine
 * that slows down for a while slows all of them.
 *
 * Run as a program it prints one line of JSON.
 */
import { fileURLToPath } from "node:url";
import { type AdamConstants, createKernelMemory, instantiateKernels } from "../shared/kernels/index.js";
import { createRandom } from "../shared/random.js";

const PARAMETERS = 10_000_000;
const WARM_UP_ROUNDS = 3;
const ROUNDS = 15;
const ARRAY_BYTES = 4 * PARAMETERS;

export interface KernelResult {
  /** Median time of one call. */
  readonly ms: number;
  /** 10⁹ bytes read and written per second, at the median time. */
  readonly gigabytesPerSecond: number;
  /** Median over the rounds of the kernel's bandwidth divided by memcpy's. */
  readonly shareOfMemcpy: number;
}

export interface KernelScenario {
  readonly scenario: "kernels";
  readonly parameters: number;
  readonly rounds: number;
  readonly results: Readonly<Record<string, KernelResult>>;
}

/** Measures every kernel once per round; about two seconds. */
export function kernelScenario(): KernelScenario {
  // Offsets that are unlike modulo 4 KiB: arrays a whole number of pages apart evict one another from the caches.
  const offsets = [0, 1, 2, 3, 4].map((index) => index * (ARRAY_BYTES + 320));
  const [theta, m, v, s1, s2] = offsets;
  const memory = createKernelMemory(offsets[4] + ARRAY_BYTES);
  const kernels = instantiateKernels(memory);
  const random = createRandom(1);
  for (const offset of offsets) {
    const values = new Float32Array(memory.buffer, offset, PARAMETERS);
    for (let i = 0; i < PARAMETERS; i++) values[i] = random.next();
  }
  const [source, target] = [theta, m].map((offset) => new Uint8Array(memory.buffer, offset, ARRAY_BYTES));
  const adam: AdamConstants = {
    mKeep: 0.9,
    mAdd: 0.1,
    vKeep: 0.999,
    vAdd: 0.001,
    squareOfSum: false,
    stepSize: 1e-3,
    vScale: 1,
    epsilon: 1e-8,
    decay: 1e-5,
  };
  const standard = { ...adam, squareOfSum: true };
  /** A name, the arrays it reads and writes (one read and written counts twice), and the call. */
  const cases: [name: string, arrays: number, call: () => void][] = [
    ["memcpy", 2, () => target.set(source)],
    ["leaf", 3, () => kernels.leaf(theta, s1, s2, PARAMETERS, 1, 1)],
    ["addLeaf", 5, () => kernels.addLeaf(theta, s1, s2, PARAMETERS, 1, 1)],
    ["add", 3, () => kernels.add(s1, s2, PARAMETERS)],
    ["allFinite", 1, () => kernels.allFinite(s1, PARAMETERS)],
    ["squaredNorm", 1, () => kernels.squaredNorm(s1, PARAMETERS)],
    ["adam", 8, () => kernels.adam(theta, m, v, s1, s2, PARAMETERS, adam)],
    ["adamStandard", 7, () => kernels.adam(theta, m, v, s1, s2, PARAMETERS, standard)],
  ];
  const times = cases.map(() => [] as number[]);
  for (let round = 0; round < WARM_UP_ROUNDS + ROUNDS; round++) {
    for (const [index, [, , call]] of cases.entries()) {
      const start = performance.now();
      call();
      if (round >= WARM_UP_ROUNDS) times[index].push(performance.now() - start);
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
  return { scenario: "kernels", parameters: PARAMETERS, rounds: ROUNDS, results: Object.fromEntries(results) };
}

function median(values: readonly number[]): number {
  return values.toSorted((a, b) => a - b)[Math.floor(values.length / 2)];
}

function rounded(value: number): number {
  return Number(value.toPrecision(4));
}

if (process.argv[1] === fileURLToPath(import.meta.url)) console.log(JSON.stringify(kernelScenario()));
