import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createKernelMemory } from "./kernels/index.js";
import { type RunState, stateHash } from "./state-hash.js";

const bytes = (length: number, first: number): Uint8Array => Uint8Array.from({ length }, (_, i) => first + i);
const state: RunState = {
  theta: [bytes(12, 1)],
  m: [bytes(8, 50)],
  v: [bytes(8, 100)],
  step: 3,
  microBatches: 24,
  c1: 0.25,
  c2: 0.5,
};

describe("stateHash()", () => {
  it("is the SHA-256 of θ, m, v, then step, micro-batches, c1 and c2 as little-endian float64", () => {
    const tail = Buffer.from("0000000000000840" + "0000000000003840" + "000000000000d03f" + "000000000000e03f", "hex");
    const whole = Buffer.concat([bytes(12, 1), bytes(8, 50), bytes(8, 100), tail]);
    assert.equal(stateHash(state), createHash("sha256").update(whole).digest("hex"));
  });

  it("is the same however the arrays are cut into slices", () => {
    const cuts = fc.array(fc.nat(12), { maxLength: 4 });
    fc.assert(
      fc.property(cuts, cuts, (thetaCuts, mCuts) => {
        const slices = (whole: Uint8Array, at: number[]): Uint8Array[] => {
          const edges = [0, ...at.map((cut) => Math.min(cut, whole.length)).sort((a, b) => a - b), whole.length];
          return edges.slice(1).map((edge, i) => whole.subarray(edges[i], edge));
        };
        const cut = { ...state, theta: slices(bytes(12, 1), thetaCuts), m: slices(bytes(8, 50), mCuts) };
        assert.equal(stateHash(cut), stateHash(state));
      }),
    );
  });

  it("changes with one bit of anything", () => {
    const flipped = (length: number, first: number): Uint8Array[] => {
      const changed = bytes(length, first);
      changed[length - 1] ^= 1;
      return [changed];
    };
    const others: Partial<RunState>[] = [
      { theta: flipped(12, 1) },
      { m: flipped(8, 50) },
      { v: flipped(8, 100) },
      { step: 4 },
      { microBatches: 25 },
      { c1: 0.25 + 2 ** -54 },
      { c2: 0.5 + 2 ** -53 },
    ];
    const hashes = new Set(others.map((change) => stateHash({ ...state, ...change })));
    assert.equal(hashes.add(stateHash(state)).size, others.length + 1);
  });

  it("reads slices of a shared memory in place", () => {
    const slice = new Uint8Array(createKernelMemory(12).buffer, 0, 12);
    slice.set(bytes(12, 1));
    assert.equal(stateHash({ ...state, theta: [slice] }), stateHash(state));
  });
});
