import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { probeBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { compiler } from "../../backends/tensorflow/index.js";
import { programSettings } from "../../backends/tensorflow/program/settings.js";
import type { Precision } from "../../shared/precision.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";

/**
 * Every kind of product that can be compiled, with both gradients of each: of matrices, of batches of them,
 * convolutions.
 */
const LAYERS = [
  { layer: "Reshape", targetShape: [2, 2, 1], inputShape: [4] },
  { layer: "Conv2D", filters: 4, kernelSize: 2, padding: "same", activation: "relu" },
  { layer: "DepthwiseConv2D", kernelSize: 2, padding: "same" },
  { layer: "Reshape", targetShape: [4, 4] },
  { layer: "SelfAttention", heads: 2, dropout: 0.2 },
  { layer: "Flatten" },
  { layer: "BatchNormalization" },
  { layer: "Dense", units: 3 },
];

const NUMBERS = [0, 1, 2, 3, 4, 5];
const native = await probeBackend("tfjs-node", settings);

describe("gradients in less than float32", () => {
  const lengthOf = (g: Float32Array): number => Math.hypot(...g);

  for (const backend of ["wasm", "tfjs-node"] as const) {
    const skip = backend === "tfjs-node" && !native.available && native.reason;

    it(`are float32's within what rounding may change, and leave those of float32 as they were, on ${backend}`, {
      skip,
    }, async () => {
      const open = async (precision: Precision) => {
        const opened = await openGradients({ backend, layers: LAYERS, task: { precision } });
        opened.setWeights(opened.initialWeights.map((x, i) => x + 0.5 * Math.sin(i)));
        return opened;
      };
      const plain = await open("float32");
      const before = NUMBERS.map((number) => plain.gradientOf(batchOf(number)));
      const loss = plain.gradients.evaluate(batchOf(0)).lossSum;
      const apart: number[] = [];
      for (const [precision, error] of [
        ["tf32", 2 ** -10],
        ["bfloat16", 2 ** -7],
      ] as const) {
        const rounding = await open(precision);
        const shares = NUMBERS.map((number, i) => {
          const { g } = rounding.gradientOf(batchOf(number));
          return lengthOf(g.map((x, j) => x - before[i].g[j])) / lengthOf(before[i].g);
        });
        assert.ok(Math.max(...shares) < 8 * error && Math.min(...shares) > error / 64, `${precision}: ${shares}`);
        apart.push(Math.max(...shares));
        assert.notEqual(rounding.gradients.evaluate(batchOf(0)).lossSum, loss);
        assert.deepEqual(plain.gradientOf(batchOf(0)), before[0]);
      }
      assert.ok(apart[1] > 2 * apart[0], `tf32 and bfloat16: ${apart}`);
    });
  }

  it("have the same bits in one compiled call", { skip: !native.available && native.reason }, async () => {
    for (const precision of ["tf32", "bfloat16"] as const) {
      const notices: string[] = [];
      // The second as it may be on a GPU: what is rounded must not be rewritten away.
      const rewritten = () => compiler(undefined, programSettings("grappler", false));
      const open = (compiled: boolean | typeof rewritten) =>
        openGradients({
          backend: "tfjs-node",
          layers: LAYERS,
          task: { precision },
          compiled,
          notice: (line) => notices.push(line),
        });
      const [eager, ...programs] = [await open(false), await open(true), await open(rewritten)];
      for (const number of NUMBERS) {
        const expected = eager.gradientOf(batchOf(number));
        for (const program of programs) assert.deepEqual(program.gradientOf(batchOf(number)), expected);
      }
      assert.deepEqual(notices, []);
    }
  });
});
