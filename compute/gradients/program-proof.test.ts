import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LayoutTensor } from "../../shared/layout/index.js";
import { differenceOf, nudged } from "./program-proof.js";

const tensor = (name: string, length: number, kind: LayoutTensor["kind"] = "parameter"): LayoutTensor => ({
  name,
  shape: [length],
  kind,
  decay: true,
  offset: 0,
  length,
});

const TENSORS = [tensor("kernel", 1_000), tensor("bias", 4), tensor("mean", 2, "tail")];
const wave = (length: number, size = 1): Float32Array =>
  Float32Array.from({ length }, (_, i) => size * Math.sin(i + 1));

interface Changed {
  readonly loss?: number;
  readonly kernel?: Float32Array;
  readonly bias?: Float32Array;
  readonly mean?: Float32Array;
}

/**
 * What differs from waves of 1,000, 4 and 2 numbers, where the nudged weights change the kernel's by a part `natural`.
 */
function difference({ loss = 2, kernel, bias, mean }: Changed, natural = 0) {
  const [a, b, c] = [wave(1_000), wave(4, 1e-9), wave(2)];
  const operations = { loss: 2, tensors: [a, b, c] };
  const nudged = { loss: 2, tensors: [wave(1_000, 1 + natural), b, c] };
  const program = { loss, tensors: [kernel ?? a, bias ?? b, mean ?? c] };
  return differenceOf({ program, operations, nudged }, TENSORS);
}

describe("differenceOf()", () => {
  it("allows what another order of additions makes, and noise around 0", () => {
    assert.equal(difference({}), undefined);
    assert.equal(difference({ loss: 2.01, kernel: wave(1_000, 1.0009) }), undefined);
    assert.equal(difference({ bias: wave(4, -1e-9) }), undefined);
  });

  it("allows ten times what the weights' last bits change, up to a half", () => {
    assert.equal(difference({ kernel: wave(1_000, 1.19) }, 0.02), undefined);
    assert.equal(
      difference({ kernel: wave(1_000, 1.21) }, 0.02),
      "kernel by 21 % of its norm, of which 20 % are allowed",
    );
    assert.equal(difference({ kernel: wave(1_000, 1.49) }, 0.3), undefined);
    assert.equal(
      difference({ kernel: wave(1_000, 1.6) }, 0.3),
      "kernel by 60 % of its norm, of which 50 % are allowed",
    );
  });

  it("names the tensor that is furthest off, and by how much", () => {
    // The kernel's norm is √500 = 22.4: of it 0.1 %, the bias's own share, is 0.0224.
    for (const [changed, expected] of [
      [{ loss: 2.1 }, "the loss is 2.1, but 2 by the operations"],
      [{ kernel: wave(1_000, 1.1) }, "kernel by 10 % of its norm, of which 0.1 % are allowed"],
      [{ kernel: wave(1_000, 1.1), bias: new Float32Array(4).fill(0.0224) }, /^bias by 200 % of its norm/],
      [{ mean: new Float32Array(2) }, /^mean by 100 % of its norm/],
      [{ loss: Number.NaN }, /^the loss is NaN/],
      [{ mean: Float32Array.of(0, Number.NaN), kernel: wave(1_000, 2) }, /^mean by Infinity % of its norm/],
    ] as const) {
      const found = difference(changed);
      if (typeof expected === "string") assert.equal(found, expected);
      else assert.match(found ?? "nothing", expected);
    }
  });

  it("counts numbers whose squares are more than float32 holds", () => {
    const large = (factor: number) => ({ loss: 1, tensors: [wave(4, factor * 1e30)] });
    const found = (factor: number) =>
      differenceOf({ program: large(factor), operations: large(1), nudged: large(1) }, [tensor("w", 4)]);
    assert.equal(found(1.0005), undefined);
    assert.match(found(1.2)!, /^w by 20 % /);
  });
});

describe("nudged()", () => {
  it("changes each weight by a few of its last bits, as often up as down", () => {
    const weights = [wave(600), wave(400, 1e-20)];
    const found = nudged(weights);
    const changes = weights.flatMap((values, i) => [...values].map((value, j) => found[i][j] / value - 1));
    for (const change of changes) assert.ok(Math.abs(Math.abs(change) - 2 ** -21) < 2 ** -23, `${change}`);
    const up = changes.filter((change) => change > 0).length;
    assert.ok(up > 400 && up < 600, `${up}`);
  });
});
