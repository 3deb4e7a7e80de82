import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { editDistance, nearest, withSuggestions } from "./nearest.js";

describe("editDistance()", () => {
  it("is the textbook's", () => {
    const cases: [string, string, number][] = [
      ["kitten", "sitting", 3],
      ["saturday", "sunday", 3],
      ["", "abc", 3],
      ["abc", "abc", 0],
      // A swap of neighbours is one slip; in the restricted form "ca" to "abc" takes three.
      ["dnese", "dense", 1],
      ["ca", "abc", 3],
    ];
    for (const [a, b, distance] of cases) {
      assert.equal(editDistance(a, b), distance, `${a} ${b}`);
      assert.equal(editDistance(b, a), distance, `${b} ${a}`);
    }
  });
});

describe("nearest()", () => {
  const fields = ["name", "samples", "microBatchSize", "learningRate", "seed", "loss", "freeze"];

  it("finds the name of a slip, of another spelling, and of a part", () => {
    assert.equal(nearest("learnngRate", fields), "learningRate");
    assert.equal(nearest("learning_rate", fields), "learningRate");
    assert.equal(nearest("batchSize", fields), "microBatchSize");
    assert.equal(nearest("sede", fields), "seed");
    assert.equal(nearest("Dens", ["Dot", "Dense", "Conv2D"]), "Dense");
  });

  it("finds none where none is near, and takes the nearest of several", () => {
    for (const word of ["epochs", "lr", "", "x", "optimiser"]) assert.equal(nearest(word, fields), undefined, word);
    assert.equal(nearest("Conv2", ["Conv1D", "Conv2D", "ConvLSTM2D"]), "Conv2D");
    assert.equal(nearest("--step", ["--stay", "--steps", "--seed"]), "--steps");
  });
});

describe("withSuggestions()", () => {
  it("suggests a name for each word", () => {
    assert.equal(
      withSuggestions(["unit", "bais", "color"], ["units", "bias"]),
      '"unit" (did you mean units?), "bais" (did you mean bias?), "color"',
    );
  });
});
