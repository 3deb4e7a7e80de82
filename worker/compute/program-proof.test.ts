import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { LayoutTensor } from "../../shared/layout/index.js";
import { differenceOf } from "./program-proof.js";

const tensor = (name: string, length: number, kind: LayoutTensor["kind"] = "parameter"): LayoutTensor => ({
  ...{ name, shape: [length], kind, decay: true, offset: 0, length },
});

const TENSORS = [tensor("kernel", 1_000), tensor("bias", 4), tensor("mean", 2, "tail")];
const wave = (length: number, size = 1): Float32Array =>
  Float32Array.from({ length }, (_, i) => size * Math.sin(i + 1));

/** What differs from waves of 1,000, 4 and 2 numbers. */
function difference(changed: { loss?: number; kernel?: Float32Array; bias?: Float32Array; mean?: Float32Array }) {
  const operations = { loss: 2, tensors: [wave(1_000), wave(4, 1e-9), wave(2)] };
  const { loss = operations.loss, kernel, bias, mean } = changed;
  const [a, b, c] = operations.tensors;
  return differenceOf({ loss, tensors: [kernel ?? a, bias ?? b, mean ?? c] }, operations, TENSORS);
}

describe("differenceOf()", () => {
  it("allows what another order of additions makes, single elements on the other side of a kink, and noise around 0", () => {
    assert.equal(difference({}), undefined);
    assert.equal(difference({ loss: 2.01, kernel: wave(1_000, 1.01) }), undefined);
    const flipped = wave(1_000);
    flipped[70] = 0;
    assert.equal(difference({ kernel: flipped }), undefined);
    assert.equal(difference({ bias: wave(4, -1e-9) }), undefined);
  });

  it("names the tensor that is furthest off, and by how much", () => {
    // The kernel's norm is √500 = 22.4: of it 0.1 %, the bias's own share, is 0.0224.
    for (const [changed, expected] of [
      [{ loss: 2.1 }, "the loss is 2.1, and by the operations 2"],
      [{ kernel: wave(1_000, 1.1) }, "kernel by 10 % of its norm, of which 5 % are allowed"],
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
    assert.equal(differenceOf(large(1.01), large(1), [tensor("w", 4)]), undefined);
    assert.match(differenceOf(large(1.2), large(1), [tensor("w", 4)])!, /^w by 20 % /);
  });
});
