import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { compiler } from "../../backends/tensorflow/index.js";
import { programSettings } from "../../backends/tensorflow/program/index.js";
import { createRandom } from "../../shared/random.js";
import type { Interval } from "../../shared/sums/index.js";
import { NonFiniteError } from "../errors.js";
import type { LeaseRequest } from "../protocol.js";
import { FIRST_MICRO_BATCH, fold, foldProblem, gradientOf, intervals, withoutSmall } from "./fold-cases.test.helper.js";
import { batchOf, type OpenGradients, openGradients } from "./open-gradients.test.helper.js";
import { canFold } from "./program-fold.js";
import { GRADIENT_LENGTH, openFolds } from "./program-fold.test.helper.js";
import { LAYERS, noSums as skip } from "./summing-programs.test.helper.js";

const backend = "tfjs-node";
/**
 * The session's devices, how its graphs are rewritten, and how far apart the κ are that are tried: all of them on one.
 */
const SESSIONS = {
  "one CPU": { on: { otherDevices: false }, program: "plain", every: 1 },
  "a second, virtual CPU": {
    on: { otherDevices: false, cpuDevices: 2, device: "/device:CPU:1" },
    program: "plain",
    every: 5,
  },
  "a CPU, as on a GPU": { on: { otherDevices: true }, program: "plain", every: 5 },
  "a CPU, with rewritten graphs": { on: { otherDevices: false }, program: "grappler", every: 5 },
};

/** Compiled, with the program in use. */
async function openSums(options: Partial<Parameters<typeof openGradients>[0]> = {}): Promise<OpenGradients> {
  const opened = await openGradients({ layers: LAYERS, backend, foldOn: "program", ...options });
  for (const number of [0, 1, 2]) opened.gradientOf(batchOf(number));
  return opened;
}

describe("a part of a lease that the program folds", { skip, timeout: 60_000 }, () => {
  for (const [name, { on, program, every }] of Object.entries(SESSIONS)) {
    it(`has the host's bits, for any κ up to 40, however leases are cut, on ${name}`, async () => {
      const gradients = on.otherDevices ? withoutSmall : gradientOf;
      const given = await openFolds(compiler(on, programSettings(program, false))!, gradientOf);
      const expected = on.otherDevices ? await openFolds(compiler()!, gradients) : given;
      const random = createRandom(7);
      for (let microBatches = 1; microBatches <= 40; microBatches += every) {
        assert.equal(await foldProblem(given, expected, microBatches, random, on.otherDevices), undefined);
      }
      for (const { close } of new Set([given, expected])) close();
    });
  }

  it("names what is not finite: a micro-batch's gradient, or sums that overflow and stay", async () => {
    const last = GRADIENT_LENGTH - 1;
    const broken = (number: number): Float32Array => {
      const g = gradientOf(number);
      if (number === FIRST_MICRO_BATCH + 20) g[last] = Number.NaN;
      if (number === FIRST_MICRO_BATCH + 21) g[3] = Number.NEGATIVE_INFINITY;
      // The squares are infinities.
      if (number === FIRST_MICRO_BATCH + 5) g[40] = 2e19;
      // Only their sum is one, of the tail's.
      if (number >= FIRST_MICRO_BATCH + 8 && number < FIRST_MICRO_BATCH + 10) g[last] = 3e38;
      return g;
    };
    const folds = await openFolds(compiler()!, broken);
    const infinite = async (way: "host" | "program", lo: number, hi: number, whole: Interval): Promise<Interval[]> => {
      const request = { lo, hi, whole, microBatches: 32, firstMicroBatch: FIRST_MICRO_BATCH, apart: false };
      const { infinite } = await fold(folds[way]({ ...request, coefficients: undefined }), { lo, hi });
      return intervals(infinite);
    };
    for (const way of ["host", "program"] as const) {
      assert.deepEqual(await infinite(way, 0, 12, { lo: 0, hi: 12 }), [
        { lo: 0, hi: 8 },
        { lo: 8, hi: 12 },
      ]);
      // The rest is joined to it.
      assert.deepEqual(await infinite(way, 4, 8, { lo: 0, hi: 8 }), []);
      assert.deepEqual(await infinite(way, 5, 6, { lo: 5, hi: 6 }), []);
      for (const leaf of [20, 21]) {
        await assert.rejects(
          infinite(way, 18, 22 - (21 - leaf), { lo: 18, hi: 22 }),
          (error) => error instanceof NonFiniteError && error.microBatch === FIRST_MICRO_BATCH + 20,
        );
        await assert.rejects(infinite(way, leaf, leaf + 1, { lo: leaf, hi: leaf + 1 }), NonFiniteError);
      }
    }
    folds.close();
  });

  it("takes no more memory after 2,000 micro-batches", async () => {
    const folds = await openFolds(compiler()!, gradientOf);
    const folded = async (leases: number): Promise<void> => {
      for (let i = 0; i < leases; i++) {
        const whole = { lo: 0, hi: 20 };
        const request = { ...whole, whole, microBatches: 20, firstMicroBatch: FIRST_MICRO_BATCH, apart: false };
        await fold(folds.program({ ...request, coefficients: undefined }), whole);
      }
    };
    await folded(20);
    const before = process.memoryUsage.rss();
    await folded(100);
    const grownBytes = process.memoryUsage.rss() - before;
    assert.ok(grownBytes < 32e6, `${grownBytes} bytes more after 2,000 micro-batches`);
    folds.close();
  });
});

describe("a model's program that keeps sums", { skip, timeout: 60_000 }, () => {
  it("clips and rounds a gradient as the host does", async () => {
    for (const task of [{ clipNorm: 0.05 }, { clipNorm: 1e6 }, { wire: "bfloat16" as const, clipNorm: 0.1 }]) {
      const program = await openSums({ task });
      const host = await openGradients({ layers: LAYERS, backend, task, compiled: false });
      for (const number of [3, 4, 5]) {
        const [given, expected] = [program, host].map(({ gradientOf }) => gradientOf(batchOf(number)));
        assert.deepEqual(given, expected, JSON.stringify(task));
      }
      for (const { gradients } of [program, host]) gradients.dispose();
    }
  });

  it("is not used with coefficients whose products a GPU takes for 0", async () => {
    const { gradients } = await openSums();
    const sums = { ...gradients.sums(gradients.decode(batchOf(3)))!, smallestCoefficient: 2 ** -26 };
    const lease = (w1: number[], w2: number[]) =>
      ({ lo: 1, hi: 3, coefficients: { first: 0, w1, w2 } }) as unknown as LeaseRequest;
    assert.ok(canFold(sums, { lo: 1, hi: 3 } as LeaseRequest));
    assert.ok(canFold(sums, lease([0, 1, 0], [2 ** -40, 2 ** -26, 1])));
    assert.ok(!canFold(sums, lease([1, 1, 1], [1, 1, 2 ** -27])));
    assert.ok(!canFold(sums, lease([1, 2 ** -27, 1], [1, 1, 1])));
    gradients.dispose();
  });
});
