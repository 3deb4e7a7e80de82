import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { dataText, epochOf, epochs, epochsText, modelText } from "./facts.js";

const model = { modelKind: "sequential", modelLayers: 4, parameters: 669_706, trainedParameters: 669_706 };

describe("a run's model and data in words", () => {
  it("names kind, layers and parameters", () => {
    assert.equal(modelText(model), "sequential, 4 layers, 669,706 parameters");
    const frozen = { modelKind: "functional", modelLayers: 1, parameters: 1_010, trainedParameters: 10 };
    assert.equal(modelText(frozen), "functional, 1 layer, 1,010 parameters, 1,000 of them not trained");
  });

  it("names both parts of the data", () => {
    assert.equal(dataText({ trainingSamples: 60_000, testSamples: 10_000 }), "60,000 training and 10,000 test samples");
    assert.equal(dataText({ trainingSamples: 60_000, testSamples: 0 }), "60,000 training samples, no test part");
  });
});

describe("epochs", () => {
  it("are passes over the training part", () => {
    assert.deepEqual(
      [240_000, 60_000, 90_000, 1_280, 0, 100_000_000].map((samples) => epochs(samples, 60_000)),
      ["4", "1", "1.5", "0.021", "0", "1,667"],
    );
    assert.equal(epochsText(60_000, 60_000), "1 epoch");
    assert.equal(epochsText(90_000, 60_000), "1.5 epochs");
  });

  it("keep their digits while a run goes through them", () => {
    assert.deepEqual(
      [0, 114_432, 240_000].map((samples) => epochOf(samples, 240_000, 60_000)),
      ["0.00 of 4", "1.91 of 4", "4.00 of 4"],
    );
    assert.equal(epochOf(600_000, 2_400_000, 60_000), "10.0 of 40");
    assert.equal(epochOf(256, 1_280, 60_000), "0.0043 of 0.021");
    assert.equal(epochOf(0, 20_032, 60_000), "0.000 of 0.33");
  });
});
