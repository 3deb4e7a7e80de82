import assert from "node:assert/strict";
import { before, describe, it } from "node:test";
import { createRandom } from "../../shared/random.js";
import { core as tf } from "../../tasks/tfjs/core.js";
import { callGradient } from "../call-gradient.test.helper.js";
import { openBackend, probeBackend } from "../index.js";
import { type KernelCallRecord, recordKernelCalls, repeatCall, type Stored } from "../kernel-calls.test.helper.js";
import { layerCases, nameOf } from "../layer-cases.test.helper.js";
import { settings } from "../settings.test.helper.js";
import type { NativeBackend } from "../tensorflow/native-package.js";
import { functionsOf } from "../tensorflow/program/trace.js";
import { factorBits, PRODUCT_KINDS } from "./factor-bits.test.helper.js";
import { FACTORS } from "./products.js";

const isBfloat16 = (x: number): boolean => (new Uint32Array(Float32Array.of(x).buffer)[0] & 0xffff) === 0;

const withInputs = (
  call: KernelCallRecord,
  values: Record<string, (stored: Stored) => number[]>,
): KernelCallRecord => ({
  ...call,
  inputs: Object.fromEntries(
    Object.entries(call.inputs).map(([name, stored]) => [
      name,
      name in values ? { ...stored, values: values[name](stored) } : stored,
    ]),
  ),
});

const filled =
  (value: number) =>
  ({ values }: Stored): number[] =>
    Array.from(values, () => value);

/**
 * Two inputs that a kernel multiplies, adding products of several elements: its result doubles with either, and is a
 * mean of several elements of the first where the second is all ones. Found by trying, not by the kernel's name.
 */
function multiplied(call: KernelCallRecord): [string, string] | undefined {
  const floats = Object.keys(call.inputs).filter((name) => call.inputs[name].dtype === "float32");
  const zeros = Object.fromEntries(floats.map((name) => [name, filled(0)]));
  const random = createRandom(1);
  for (const a of floats) {
    const p = Array.from(call.inputs[a].values, () => 1 + random.next());
    for (const b of floats) {
      if (a === b) continue;
      const resultOf = (first: (stored: Stored) => number[], second: number): number[] =>
        Array.from(repeatCall(withInputs(call, { ...zeros, [a]: first, [b]: filled(second) }))![0].values);
      const once = resultOf(filled(1), 1);
      const doubles = (twice: number[]): boolean => twice.every((x, i) => x === 2 * once[i]);
      if (once.every((x) => x === 0) || !doubles(resultOf(filled(2), 1)) || !doubles(resultOf(filled(1), 2))) continue;
      const found = resultOf(() => p, 1);
      const isMean = (x: number, i: number): boolean =>
        once[i] !== 0 && !p.some((element) => Math.abs(x / once[i] - element) < 1e-6);
      if (found.some(isMean)) return [a, b].sort() as [string, string];
    }
  }
  return undefined;
}

/** What the gradients of all layers call on wasm with bfloat16 products. */
let calls: readonly KernelCallRecord[] = [];
before(async () => {
  const backend = await openBackend("wasm");
  // Before the kernels are wrapped: so it sees what they are given at the end.
  const recorder = recordKernelCalls();
  for (const [index, example] of layerCases.entries()) {
    recorder.begin(nameOf(example));
    backend.inPrecision("bfloat16", () => callGradient(example, index));
  }
  recorder.stop();
  calls = recorder.calls;
});

describe("with bfloat16 products, the gradients of all layers", () => {
  it("come from kernels of which those that multiply matrices are known, with their factors", async () => {
    await openBackend("wasm");
    const found = new Map<string, string>();
    for (const call of calls) {
      if (Object.keys(call.inputs).length < 2 || found.has(call.kernel)) continue;
      const factors = multiplied(call);
      if (factors !== undefined) found.set(call.kernel, String(factors));
    }
    const called = new Set(calls.map(({ kernel }) => kernel));
    const known = Object.entries(FACTORS).filter(([kernel]) => called.has(kernel));
    assert.deepEqual([...found].sort(), known.map(([kernel, factors]) => [kernel, String([...factors].sort())]).sort());
    assert.ok(known.length >= 10, `only ${known.map(([kernel]) => kernel)} were called`);
  });

  it("multiply rounded factors, and add to them what is not rounded", () => {
    let others = 0;
    for (const { kernel, inputs, during } of calls) {
      for (const [name, { values, dtype }] of Object.entries(inputs)) {
        if (dtype !== "float32") continue;
        const isRounded = Array.from(values).every(isBfloat16);
        if (FACTORS[kernel]?.includes(name)) assert.ok(isRounded, `${name} of ${kernel} in ${during}`);
        else if (!isRounded) others++;
      }
    }
    assert.ok(others > 100);
  });
});

const native = await probeBackend("tfjs-node", settings);

/** The nearest number with `kept` bits of mantissa: a whole number of units; of two equally near ones the even one. */
function nearest(x: number, kept: number): number {
  if (x === 0) return x;
  const unit = 2 ** (Math.floor(Math.log2(Math.abs(x))) - kept);
  const below = Math.floor(x / unit);
  const rest = x / unit - below;
  return (rest > 0.5 || (rest === 0.5 && below % 2 !== 0) ? below + 1 : below) * unit;
}

for (const name of ["wasm", "cpu", "tfjs-node"] as const) {
  const skip = name === "tfjs-node" && !native.available && native.reason;
  describe(`a product in less than float32 on ${name}`, { skip }, () => {
    for (const [precision, bits] of [
      ["tf32", 10],
      ["bfloat16", 7],
    ] as const) {
      it(`takes ${bits} bits of its factors in ${precision}, and all in float32`, async () => {
        const backend = await openBackend(name, settings);
        for (const kind of PRODUCT_KINDS) {
          const found = backend.inPrecision(precision, () => factorBits(kind, 8));
          assert.deepEqual([found, factorBits(kind, 8)], [bits, 23], kind);
        }
      });

      it(`is float32's product of factors rounded to ${bits} bits of mantissa, in ${precision}`, async () => {
        const backend = await openBackend(name, settings);
        const random = createRandom(2);
        const numbers = ({ values }: Stored): number[] => Array.from(values, () => Math.fround(2 * random.next() - 1));
        const products = calls.filter(({ kernel }) => kernel in FACTORS);
        const others = new Set<string>();
        for (const recorded of products) {
          const call = withInputs(
            recorded,
            Object.fromEntries(FACTORS[recorded.kernel].map((each) => [each, numbers])),
          );
          const round = ({ values }: Stored): number[] => Array.from(values, (x) => nearest(x, bits));
          const rounded = withInputs(call, Object.fromEntries(FACTORS[call.kernel].map((factor) => [factor, round])));
          const found = backend.inPrecision(precision, () => repeatCall(call));
          assert.deepEqual(found, repeatCall(rounded), `${call.kernel} in ${call.during}`);
          if (String(found![0].values) !== String(repeatCall(call)![0].values)) others.add(call.kernel);
        }
        // Products in float32 have other bits, and are what they were.
        assert.deepEqual([...others].sort(), [...new Set(products.map(({ kernel }) => kernel))].sort());
      });
    }
  });
}

describe("with bfloat16 products on tfjs-node", { skip: !native.available && native.reason }, () => {
  it("TensorFlow's own operations that multiply matrices get rounded factors, in all layers", async () => {
    const backend = await openBackend("tfjs-node", settings);
    const tensorFlow = tf.backend() as NativeBackend;
    const { binding } = tensorFlow;
    let seen = 0;
    let during = "";
    tensorFlow.binding = {
      ...functionsOf(binding),
      executeOp(operation, attributes, inputs, outputs) {
        const result = binding.executeOp(operation, attributes, inputs, outputs);
        if (!/MatMul|Conv|Einsum/.test(operation)) return result;
        for (const id of inputs) {
          const values = binding.tensorDataSync(id);
          if (!(values instanceof Float32Array)) continue;
          seen++;
          assert.ok(values.every(isBfloat16), `a factor of ${operation} in ${during}`);
        }
        return result;
      },
    };
    try {
      for (const [index, example] of layerCases.entries()) {
        during = nameOf(example);
        backend.inPrecision("bfloat16", () => callGradient(example, index));
      }
    } finally {
      tensorFlow.binding = binding;
    }
    assert.ok(seen > 400, `${seen} factors`);
  });
});
