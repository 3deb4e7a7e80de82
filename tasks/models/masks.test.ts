import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { input, layers, model, type SymbolicTensor, sequential } from "@tensorflow/tfjs-layers";
import { checkMasks } from "./masks.js";

type Apply = (x: SymbolicTensor) => unknown;

/** Words, embedded with a mask of what is zero, and what follows. */
const words = (...after: Apply[]): ReturnType<typeof model> => embeddedBefore([4], after);

/** The same of sentences, each of which becomes a vector. */
const sentences = (...after: Apply[]): ReturnType<typeof model> =>
  embeddedBefore([2, 4], [layer(layers.timeDistributed({ layer: layers.lstm({ units: 2 }) })), ...after]);

function embeddedBefore(shape: number[], after: Apply[]): ReturnType<typeof model> {
  const x = input({ shape });
  const embedded = layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true, name: "words" }).apply(x);
  const outputs = after.reduce<unknown>((y, apply) => apply(y as SymbolicTensor), embedded);
  return model({ inputs: x, outputs: outputs as SymbolicTensor });
}

const layer =
  (made: { apply(x: SymbolicTensor): unknown }): Apply =>
  (x) =>
    made.apply(x);
const lstm = (returnSequences = false): Apply => layer(layers.lstm({ units: 2, returnSequences }));
const dense: Apply = (x) => layers.dense({ units: 1 }).apply(x);

describe("checkMasks()", () => {
  it("says nothing where each mask is taken", () => {
    assert.deepEqual(checkMasks(words(lstm(true), dense, lstm(), dense)), []);
    assert.deepEqual(checkMasks(words(layer(layers.globalAveragePooling1d({})), dense)), []);
  });

  it("says which layer drops a mask, and whose, as Keras warns", () => {
    const inner = sequential({
      layers: [layers.conv1d({ filters: 2, kernelSize: 2, inputShape: [4, 3], name: "conv" })],
    });
    for (const each of [layer(layers.conv1d({ filters: 2, kernelSize: 2, name: "conv" })), layer(inner)]) {
      const notes = checkMasks(words(each, lstm()));
      assert.equal(notes.length, 1);
      assert.match(notes[0], /^Layer "conv" \(Conv1D\) drops the mask that "words" makes/);
    }
  });

  const softmax = layer(layers.softmax({ name: "soft" }));
  const perStep = layer(layers.timeDistributed({ layer: layers.lstm({ units: 2 }), name: "steps" }));
  const toPlanes = layer(layers.timeDistributed({ layer: layers.reshape({ targetShape: [3, 1] }) }));
  const refused: [what: string, build: () => ReturnType<typeof model>, message: RegExp][] = [
    [
      "an output that the mask does not fit",
      () => sentences(),
      /output has 3 axes, and the mask of "words" still has 3/,
    ],
    ["Softmax", () => words(softmax, lstm()), /^Layer "soft" \(Softmax\) gets the mask that "words" makes, which says/],
    ["a layer for each step that has no mask left", () => words(toPlanes, perStep), /"steps" .* an axis too few/],
  ];
  for (const [what, build, message] of refused) {
    it(`refuses ${what}, by name`, () => {
      assert.throws(() => checkMasks(build()), { name: "IsobatchError", message });
    });
  }

  it("refuses a recurrent layer whose mask has an axis too many", () => {
    const x = input({ shape: [2, 4] });
    const embedded = layers.embedding({ inputDim: 5, outputDim: 3, maskZero: true, name: "words" }).apply(x);
    const sentences = layers.timeDistributed({ layer: layers.lstm({ units: 2 }) }).apply(embedded as SymbolicTensor);
    const outputs = layers.gru({ units: 2, name: "whole" }).apply(sentences) as SymbolicTensor;
    assert.throws(
      () => checkMasks(model({ inputs: x, outputs })),
      /"whole" \(GRU\) .* which has 3 axes; it takes one of/,
    );
  });
});
