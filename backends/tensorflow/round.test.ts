import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { getKernel } from "@tensorflow/tfjs-core";
import { MANTISSA_BITS } from "../../shared/precision.js";
import { ROUND_MANTISSA } from "../precision/round.js";
import { registerRound } from "./round.js";

/** A stand-in for the native backend whose operation of this number fails, and the tensors that are not freed yet. */
function failingAt(failing: number) {
  const live = new Set<number>();
  let operations = 0;
  let ids = 0;
  const make = (): number => {
    live.add(++ids);
    return ids;
  };
  const binding = {
    createTensor: make,
    executeOp() {
      if (++operations === failing) throw new Error("OOM when allocating tensor");
      return [{ id: make() }];
    },
    deleteTensor: (id: number) => assert.ok(live.delete(id), `tensor ${id} is freed twice`),
  };
  const backend = { binding, getInputTensorIds: () => [0], createOutputTensor: ({ id }: { id: number }) => id };
  return { live, backend };
}

describe("rounding by TensorFlow's operations", () => {
  for (const precision of ["tf32", "bfloat16"] as const) {
    it(`frees all but its result, for ${precision}, whichever operation fails`, () => {
      registerRound();
      const { kernelFunc } = getKernel(ROUND_MANTISSA, "tensorflow");
      const round = (failing: number): number[] => {
        const { live, backend } = failingAt(failing);
        const call = { inputs: { x: {} }, attrs: { bits: MANTISSA_BITS[precision] }, backend };
        if (failing === 0) assert.ok(live.has(kernelFunc(call as never) as unknown as number) && live.size === 1);
        else assert.throws(() => kernelFunc(call as never), /OOM/);
        return [...live];
      };
      assert.equal(round(0).length, 1);
      for (const failing of precision === "tf32" ? [1, 2, 3, 4, 5, 6, 7, 8, 9] : [1, 2]) {
        assert.deepEqual(round(failing), [], `operation ${failing}`);
      }
    });
  }
});
