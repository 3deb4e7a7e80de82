import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probeBackend } from "../../backends/index.js";
import type { Stored } from "../../backends/kernel-calls.test.helper.js";
import { settings } from "../../backends/settings.test.helper.js";
import { compareKernels, relativeError } from "./kernel-agreement.test.helper.js";

const { available, reason } = await probeBackend("tfjs-node", settings);

describe("relativeError()", () => {
  const stored = (dtype: "float32" | "int32", ...values: number[]): Stored => ({
    shape: [values.length],
    dtype,
    values,
  });

  it("is relative to the largest element", () => {
    assert.equal(relativeError(stored("float32", 1, 8.5), stored("float32", 1, 8)), 1 / 16);
    assert.equal(relativeError(stored("float32", 0, Number.NaN), stored("float32", 0, Number.NaN)), 0);
  });

  it("knows no tolerance for integers, other shapes, and numbers that are none", () => {
    assert.equal(relativeError(stored("int32", 1_000_001), stored("int32", 1_000_000)), Number.POSITIVE_INFINITY);
    assert.equal(relativeError(stored("float32", 1), stored("float32", 1, 1)), Number.POSITIVE_INFINITY);
    assert.equal(relativeError(stored("float32", Number.NaN), stored("float32", 1)), Number.POSITIVE_INFINITY);
  });
});

describe("the kernels of tfjs-node that training calls", { skip: !available && reason }, () => {
  it("agree with those of wasm within 1e-5·√(length of the sum), for every layer and every model", async () => {
    const { kernels, withoutCounterpart, failed } = await compareKernels("tfjs-node", "wasm");
    assert.ok(kernels.length > 60, `only ${kernels.length} kernels were compared`);
    assert.deepEqual(withoutCounterpart, []);
    assert.deepEqual(failed, []);
    const apart = kernels.filter(({ worst }) => !(worst <= 1));
    assert.deepEqual(apart, []);
  });
});
