import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { layers } from "@tensorflow/tfjs-layers";
import fc from "fast-check";
import { createRandom, type Random } from "../shared/random.js";
import { normalizeBatch, normalizeRows } from "../tasks/models/layers/normalize.js";
import {
  type Array64,
  array64,
  assertClose,
  backendNames,
  checkGradient,
  forCases,
  randomArray,
} from "./gradient-check.test.helper.js";
import { type BackendName, openBackend, probeBackend } from "./index.js";
import { settings } from "./settings.test.helper.js";
import type { NativeBackend } from "./tensorflow/native-package.js";
import { functionsOf } from "./tensorflow/program/trace.js";

const EPSILON = 1e-3;

interface Statistics {
  readonly mean: number;
  readonly variance: number;
}

/** The statistics of each group of numbers, in float64. */
function statisticsOf(groups: readonly (readonly number[])[]): Statistics[] {
  return groups.map((values) => {
    const mean = values.reduce((sum, value) => sum + value, 0) / values.length;
    return { mean, variance: values.reduce((sum, value) => sum + (value - mean) ** 2, 0) / values.length };
  });
}

const columnsOf = ({ values, shape }: Array64): number[][] => {
  const width = shape.at(-1)!;
  const rows = values.length / width;
  return Array.from({ length: width }, (_, c) => Array.from({ length: rows }, (_, row) => values[row * width + c]));
};

const rowsOf = ({ values, shape }: Array64): number[][] => {
  const width = shape.at(-1)!;
  return Array.from({ length: values.length / width }, (_, row) => [...values.slice(row * width, (row + 1) * width)]);
};

/** From the definition: each number less its group's mean, divided by √(variance + EPSILON); then gamma and beta. */
function normalized(x: Array64, overRows: boolean, gamma?: Array64, beta?: Array64): Array64 {
  const width = x.shape.at(-1)!;
  const statistics = statisticsOf(overRows ? columnsOf(x) : rowsOf(x));
  const values = x.values.map((value, i) => {
    const { mean, variance } = statistics[overRows ? i % width : Math.floor(i / width)];
    const normal = (value - mean) / Math.sqrt(variance + EPSILON);
    return normal * (gamma?.values[i % width] ?? 1) + (beta?.values[i % width] ?? 0);
  });
  return array64(x.shape, values);
}

const overBatch = (x: tf.Tensor, gamma: tf.Tensor, beta: tf.Tensor): tf.Tensor =>
  normalizeBatch(x, gamma, beta, EPSILON, () => {});

/** Numbers far apart, since the smallest variance makes the largest errors. */
const spread = (shape: number[], random: Random): Array64 =>
  array64(
    shape,
    randomArray(shape, random).values.map((value) => Math.fround(3 * value)),
  );

const small = (max: number) => fc.integer({ min: 1, max });
const rows = fc.array(small(3), { minLength: 1, maxLength: 4 });
const native = await probeBackend("tfjs-node", settings);
const suites: { backend: BackendName; skip: string | false }[] = [
  ...backendNames.map((backend) => ({ backend, skip: false as const })),
  { backend: "tfjs-node", skip: !native.available && native.reason },
];

for (const { backend, skip } of suites) {
  describe(`normalising on ${backend}`, { skip }, () => {
    it("over a batch has the right value and gradients, of any rank", () =>
      forCases(
        backend,
        fc.record({ rows, width: small(13) }),
        (s, random) => {
          const parameters = () => randomArray([s.width], random);
          checkGradient(
            {
              inputs: [spread([...s.rows, s.width], random), parameters(), parameters()],
              operation: overBatch,
              reference: (x, gamma, beta) => normalized(x, true, gamma, beta),
            },
            random,
            { gradient: 5e-5 },
          );
        },
        25,
      ));

    it("of rows has the right value and gradients, with and without gamma and beta", () =>
      forCases(
        backend,
        fc.record({ rows, width: small(13), scaled: fc.boolean(), centered: fc.boolean() }),
        (s, random) => {
          const parameters = (used: boolean) => (used ? [randomArray([s.width], random)] : []);
          const split = <T>(rest: T[]): [T | undefined, T | undefined] =>
            s.scaled ? [rest[0], rest[1]] : [undefined, rest[0]];
          checkGradient(
            {
              inputs: [spread([...s.rows, s.width], random), ...parameters(s.scaled), ...parameters(s.centered)],
              operation: (x, ...rest) => normalizeRows(x, EPSILON, ...split(rest)),
              reference: (x, ...rest) => normalized(x, false, ...split(rest)),
            },
            random,
            { gradient: 5e-5 },
          );
        },
        25,
      ));

    it("over thousands of rows gives the batch's mean and its biased variance", async () => {
      await openBackend(backend, settings);
      const x = array64(
        [2500, 11],
        randomArray([2500, 11], createRandom(3)).values.map((value, i) => Math.fround(value + (i % 11))),
      );
      const found: Float32Array[] = [];
      const y = tf.tidy(() => {
        const given = tf.tensor(Float32Array.from(x.values), [50, 50, 1, 11]);
        const hear = (...statistics: tf.Tensor[]): void => {
          found.push(...statistics.map((tensor) => tensor.dataSync() as Float32Array));
        };
        return normalizeBatch(given, tf.ones([11]), tf.zeros([11]), EPSILON, hear).dataSync();
      });
      const expected = statisticsOf(columnsOf(x));
      const [mean, variance] = found;
      assertClose(
        mean,
        expected.map(({ mean }) => mean),
        1e-5,
        "mean",
      );
      assertClose(
        variance,
        expected.map(({ variance }) => variance),
        1e-5,
        "variance",
      );
      assertClose(y, normalized(x, true).values, 1e-4, "normalised");
    });
  });
}

/** Numbers near 1,000 that differ by hundredths: a sum of their squares in float32 loses the difference. */
const far = (shape: number[], random: Random): Array64 =>
  array64(
    shape,
    randomArray(shape, random).values.map((value) => Math.fround(1000 + 0.02 * value)),
  );

/** The gradients of Σ weight · y, from the formulas in float64, with ones for gamma. */
function gradientsFar(x: Array64, weights: Array64, overRows: boolean, epsilon: number): Float64Array {
  const width = x.shape.at(-1)!;
  const groupOf = (i: number): number => (overRows ? i % width : Math.floor(i / width));
  const groups = overRows ? columnsOf : rowsOf;
  const statistics = statisticsOf(groups(x));
  const normal = x.values.map((value, i) => {
    const { mean, variance } = statistics[groupOf(i)];
    return (value - mean) / Math.sqrt(variance + epsilon);
  });
  const products = statisticsOf(
    groups(
      array64(
        x.shape,
        normal.map((value, i) => value * weights.values[i]),
      ),
    ),
  );
  const gradients = statisticsOf(groups(weights));
  return weights.values.map((value, i) => {
    const group = groupOf(i);
    const inverse = 1 / Math.sqrt(statistics[group].variance + epsilon);
    return inverse * (value - gradients[group].mean - normal[i] * products[group].mean);
  });
}

for (const backend of backendNames) {
  describe(`normalising numbers whose mean is 100,000 deviations, on ${backend}`, () => {
    const epsilon = 1e-7;
    const cases = {
      "over a batch": { overRows: true, shape: [1500, 9] },
      "of rows": { overRows: false, shape: [9, 1500] },
    };
    for (const [name, { overRows, shape }] of Object.entries(cases)) {
      it(`${name} loses no digits`, async () => {
        await openBackend(backend, settings);
        const random = createRandom(7);
        const [x, weights] = [far(shape, random), randomArray(shape, random)];
        const found = tf.tidy(() => {
          const width = shape[1];
          const compute = (x: tf.Tensor): tf.Tensor =>
            overRows
              ? normalizeBatch(x, tf.ones([width]), tf.zeros([width]), epsilon, () => {})
              : normalizeRows(x, epsilon, tf.ones([width]), tf.zeros([width]));
          const given = tf.tensor(Float32Array.from(x.values), shape);
          const dy = tf.tensor(Float32Array.from(weights.values), shape);
          return [compute(given), tf.grad(compute)(given, dy)].map((tensor) => tensor.dataSync());
        });
        const statistics = statisticsOf(overRows ? columnsOf(x) : rowsOf(x));
        const expected = x.values.map((value, i) => {
          const { mean, variance } = statistics[overRows ? i % shape[1] : Math.floor(i / shape[1])];
          return (value - mean) / Math.sqrt(variance + epsilon);
        });
        assertClose(found[0], expected, 1e-5, "normalised");
        assertClose(found[1], gradientsFar(x, weights, overRows, epsilon), 1e-5, "gradient");
      });
    }
  });
}

describe("normalising over a batch with the kernel for a GPU", { skip: !native.available && native.reason }, () => {
  it("computes the batch's biased variance from the corrected one", async () => {
    await openBackend("tfjs-node", settings);
    const backend = tf.backend() as NativeBackend;
    const { binding } = backend;
    backend.binding = { ...functionsOf(binding), isUsingGpuDevice: () => true };
    try {
      for (const rows of [1, 2, 7]) {
        const x = randomArray([rows, 3], createRandom(rows));
        const found: Float32Array[] = [];
        const hear = (...statistics: tf.Tensor[]): void => {
          found.push(...statistics.map((tensor) => tensor.dataSync() as Float32Array));
        };
        tf.tidy(() => {
          const given = tf.tensor(Float32Array.from(x.values), x.shape);
          normalizeBatch(given, tf.ones([3]), tf.zeros([3]), EPSILON, hear);
        });
        const expected = statisticsOf(columnsOf(x)).map(({ variance }) => variance);
        assertClose(found[1], expected, 1e-6, `the variance of ${rows}`);
      }
    } finally {
      backend.binding = binding;
    }
  });
});

describe("BatchNormalization", () => {
  for (const { backend, skip } of suites) {
    it(`of volumes normalises over all axes but its own, also with the statistics it has, on ${backend}`, {
      skip,
    }, async () => {
      await openBackend(backend, settings);
      const x = randomArray([2, 3, 2, 2, 5], createRandom(2));
      const layer = layers.batchNormalization({ momentum: 0, epsilon: EPSILON });
      const apply = (training: boolean): ArrayLike<number> =>
        tf.tidy(() =>
          (layer.apply(tf.tensor(Float32Array.from(x.values), x.shape), { training }) as tf.Tensor).dataSync(),
        );
      const expected = normalized(x, true).values;
      assertClose(apply(true), expected, 1e-5, "in training");
      // With a momentum of 0 the moving statistics are the batch's.
      assertClose(apply(false), expected, 1e-5, "in inference");
      layer.dispose();
    });
  }

  it("moves its statistics by 1 − momentum towards the batch's", async () => {
    await openBackend("wasm");
    const x = randomArray([6, 5], createRandom(4));
    const layer = layers.batchNormalization({ momentum: 0.75 });
    tf.tidy(() => void layer.apply(tf.tensor(Float32Array.from(x.values), x.shape), { training: true }));
    const [, , mean, variance] = layer.getWeights().map((weight) => weight.dataSync());
    const batch = statisticsOf(columnsOf(x));
    assertClose(
      mean,
      batch.map(({ mean }) => mean / 4),
      1e-6,
      "mean",
    );
    assertClose(
      variance,
      batch.map(({ variance }) => 0.75 + variance / 4),
      1e-6,
      "variance",
    );
    layer.dispose();
  });
});
