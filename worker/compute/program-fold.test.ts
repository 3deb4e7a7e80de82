import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRandom, type Random } from "../../shared/random.js";
import type { Interval } from "../../shared/sums/index.js";
import { openBackend, probeBackend } from "../backends/index.js";
import { compiler } from "../backends/tensorflow/index.js";
import type { FoldedPart, PartFold } from "./lease-fold.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import { NonFiniteError } from "./non-finite-error.js";
import { GRADIENT_LENGTH, openFolds, UNUSED } from "./program-fold.test.helper.js";
import type { LeaseRequest } from "./protocol.js";

const { available, reason } = await probeBackend("tfjs-node");
const able = available && (await openBackend("tfjs-node")).compiler !== undefined;
/** The session's devices, and how far apart the κ are that are tried: all of them on one. */
const DEVICES = {
  "one CPU": { on: { otherDevices: false }, every: 1 },
  "a second, virtual CPU": { on: { otherDevices: false, cpuDevices: 2, device: "/device:CPU:1" }, every: 5 },
  "a CPU, as on a GPU": { on: { otherDevices: true }, every: 5 },
};
const skip = !able
  ? reason || "the TensorFlow that is installed has no sessions; run isobatch tensorflow install"
  : await withoutSums();

async function withoutSums(): Promise<string | false> {
  const { close } = await openFolds(compiler()!, gradientOf).catch(() => ({ close: undefined }));
  close?.();
  return close === undefined && "the TensorFlow that is installed can't keep sums; run isobatch tensorflow install";
}

/** A gradient with numbers of any size whose squares and sums are no infinities. */
function gradientOf(number: number): Float32Array {
  const random = createRandom(number);
  const g = Float32Array.from({ length: GRADIENT_LENGTH }, () => {
    const size = 2 ** (random.below(40) === 0 ? -random.below(150) : random.below(40) - 30);
    return (random.below(20) === 0 ? -0 : 2 * random.next() - 1) * size;
  });
  return g.fill(0, UNUSED.offset, UNUSED.offset + UNUSED.length);
}

/** As a GPU's program makes them: what is below 2^-50 is 0. */
const withoutSmall = (number: number): Float32Array => gradientOf(number).map((x) => (Math.abs(x) < 2 ** -50 ? 0 : x));

/** Cuts [0, microBatches) anywhere. */
function split(microBatches: number, random: Random): Interval[] {
  const parts: Interval[] = [];
  for (let lo = 0; lo < microBatches; ) {
    const hi = lo + 1 + random.below(Math.min(microBatches - lo, 1 + random.below(40)));
    parts.push({ lo, hi });
    lo = hi;
  }
  return parts;
}

function weightsOf(microBatches: number, random: Random): LeaseRequest["weights"] {
  if (random.below(2) === 0) return undefined;
  const some = () => Float32Array.from({ length: microBatches }, () => random.next() + 2 ** -20);
  return { first: 0, w1: some(), w2: some() };
}

const FIRST_MICRO_BATCH = 1000;

function fold(part: PartFold, { lo, hi }: Interval): FoldedPart & { losses: number[] } {
  const losses: number[] = [];
  for (let leaf = lo; leaf < hi; leaf++) {
    assert.equal(part.leaf, leaf);
    losses.push(part.add({ number: FIRST_MICRO_BATCH + leaf } as DecodedMicroBatch));
  }
  return { ...part.end(), losses };
}

const intervals = (nodes: readonly Interval[]): Interval[] => nodes.map(({ lo, hi }) => ({ lo, hi }));

describe("a part of a lease that the program folds", { skip, timeout: 60_000 }, () => {
  for (const [name, { on, every }] of Object.entries(DEVICES)) {
    it(`has the host's bits, for any κ up to 40, however leases are cut, on ${name}`, async () => {
      const gradients = on.otherDevices ? withoutSmall : gradientOf;
      const given = await openFolds(compiler(on)!, gradientOf);
      const expected = on.otherDevices ? await openFolds(compiler()!, gradients) : given;
      const random = createRandom(7);
      for (let microBatches = 1; microBatches <= 40; microBatches += every) {
        const weights = weightsOf(microBatches, random);
        for (const whole of split(microBatches, random)) {
          const apart = whole.hi - whole.lo <= 3 && random.below(3) === 0;
          const request = { ...whole, whole, microBatches, firstMicroBatch: FIRST_MICRO_BATCH, apart, weights };
          const host = fold(expected.host(request), whole);
          const program = fold(given.program(request), whole);
          const where = `[${whole.lo}, ${whole.hi}) of ${microBatches}${apart ? ", apart" : ""}`;
          assert.deepEqual(program.losses, host.losses);
          assert.deepEqual(intervals(program.nodes), intervals(host.nodes), where);
          for (const [i, node] of program.nodes.entries()) {
            assert.ok(given.bytesOf(node).equals(expected.bytesOf(host.nodes[i])), `${where}: ${node.lo}, ${node.hi}`);
          }
        }
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
    const infinite = (way: "host" | "program", lo: number, hi: number, whole: Interval): Interval[] => {
      const request = { lo, hi, whole, microBatches: 32, firstMicroBatch: FIRST_MICRO_BATCH, apart: false };
      return intervals(fold(folds[way]({ ...request, weights: undefined }), { lo, hi }).infinite);
    };
    for (const way of ["host", "program"] as const) {
      assert.deepEqual(infinite(way, 0, 12, { lo: 0, hi: 12 }), [
        { lo: 0, hi: 8 },
        { lo: 8, hi: 12 },
      ]);
      // The rest is joined to it.
      assert.deepEqual(infinite(way, 4, 8, { lo: 0, hi: 8 }), []);
      assert.deepEqual(infinite(way, 5, 6, { lo: 5, hi: 6 }), []);
      for (const leaf of [20, 21]) {
        assert.throws(
          () => infinite(way, 18, 22 - (21 - leaf), { lo: 18, hi: 22 }),
          (error) => error instanceof NonFiniteError && error.microBatch === FIRST_MICRO_BATCH + 20,
        );
        assert.throws(() => infinite(way, leaf, leaf + 1, { lo: leaf, hi: leaf + 1 }), NonFiniteError);
      }
    }
    folds.close();
  });

  it("takes no more memory after 2,000 micro-batches", async () => {
    const folds = await openFolds(compiler()!, gradientOf);
    const folded = (leases: number): void => {
      for (let i = 0; i < leases; i++) {
        const whole = { lo: 0, hi: 20 };
        const request = { ...whole, whole, microBatches: 20, firstMicroBatch: FIRST_MICRO_BATCH, apart: false };
        fold(folds.program({ ...request, weights: undefined }), whole);
      }
    };
    folded(20);
    const before = process.memoryUsage.rss();
    folded(100);
    const grownBytes = process.memoryUsage.rss() - before;
    assert.ok(grownBytes < 32e6, `${grownBytes} bytes more after 2,000 micro-batches`);
    folds.close();
  });
});
