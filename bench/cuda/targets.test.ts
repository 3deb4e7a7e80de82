import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { CheckReport } from "./report.js";
import { lineOf, targetsOf, unlikeModels } from "./targets.js";

type Parts = CheckReport["parts"];

/** A part of a report that has only the rows, and of these only what is read. */
const rows = (...rows: object[]): never => ({ rows }) as never;
const parts: Parts = {
  gradients: rows(
    { model: "resnet18", ms: 22, parameters: 7 },
    { model: "cnn", ms: 2.2, parameters: 5 },
    { model: "gpt", ms: 9, parameters: 4 },
  ),
  precision: rows(
    { kind: "factors", precision: "tf32", product: "matrices", bits: 10 },
    { kind: "gradient", model: "resnet18", precision: "tf32", ms: 14 },
    { kind: "gradient", model: "cnn", precision: "tf32", ms: 1 },
  ),
  torch: rows(
    { kind: "opened" },
    { kind: "gradient", model: "resnet18", precision: "float32", ms: 20, parameters: 7 },
    { kind: "gradient", model: "resnet18", precision: "tf32", ms: 10, parameters: 7 },
    { kind: "gradient", model: "cnn", precision: "float32", ms: 1.6, parameters: 6 },
    { kind: "loop", task: "resnet18", atOnce: true, samplesPerSecond: 8000 },
    { kind: "loop", task: "resnet18", atOnce: false, samplesPerSecond: 6000 },
  ),
  cluster: rows(
    { task: "resnet18", workers: 1, samplesPerSecond: 5599, busy: { share: 0.7 } },
    { task: "resnet18", workers: 1, samplesPerSecond: 9999, busy: null },
    { task: "resnet18", workers: 2, samplesPerSecond: 9999, busy: null },
    { task: "mnist", workers: 1, samplesPerSecond: 10, busy: { share: 0.1 } },
  ),
};

describe("targetsOf()", () => {
  it("compares what both have computed, and the first run with the faster of PyTorch's loops", () => {
    assert.deepEqual(
      targetsOf(parts).map(({ what, met }) => [what, met]),
      [
        ["gradient of resnet18 ÷ PyTorch's, float32", true], // 1.1
        ["gradient of cnn ÷ PyTorch's, float32", false], // 1.375
        ["gradient of resnet18 ÷ PyTorch's, TF32", false], // 1.4
        ["samples/s of resnet18 ÷ PyTorch's loop", false], // 0.699875
        ["share of the time that the GPU is busy with resnet18", true],
      ],
    );
  });

  it("has no ratios where there is no PyTorch", () => {
    const targets = targetsOf({ ...parts, torch: undefined });
    assert.deepEqual(
      targets.map(({ what }) => what),
      ["share of the time that the GPU is busy with resnet18"],
    );
  });

  it("is shown with what was wanted", () => {
    assert.equal(lineOf(targetsOf(parts)[1]), "NOT MET: gradient of cnn ÷ PyTorch's, float32: 1.38 (wanted: ≤ 1.3)");
  });
});

describe("unlikeModels()", () => {
  it("names the models that have other numbers of parameters", () => {
    assert.deepEqual(unlikeModels(parts), ["cnn has 5 parameters here, and 6 in PyTorch."]);
  });
});
