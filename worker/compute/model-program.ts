/** A compiled program that computes a model's gradient: what it is fed with, and where its results are written. */
import { messageOf } from "../../shared/errors.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { Program } from "../backends/index.js";
import type { Copies } from "./copies.js";
import type { Addresses } from "./memory.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";

export interface ModelProgram {
  /** How many samples a micro-batch must have that it can compute. */
  readonly samples: number;
  /** Copies the weights from the shared memories. */
  load(): void;
  /** The weights that it has, in the order of the model's `weights`. */
  weights(): Float32Array[];
  /** As `ModelGradient` does; finite: whether all that was written is finite, if that is known. */
  compute(batch: DecodedMicroBatch, target: Addresses): { loss: number; finite?: boolean };
  /**
   * Computes with the model's own weights what the model has computed, and compares all bits.
   * @param target where the model's results are, which are left alone
   * @returns as a sentence's end, why the program is of no use; undefined if it is
   */
  faultOf(batch: DecodedMicroBatch, target: Addresses, meanLoss: number): string | undefined;
  close(): void;
}

/** What a model's program is fed from. */
export interface ModelFeeds {
  readonly model: ModelGradient;
  /** The vector that holds a tensor's values when weights are loaded. */
  readonly weightsAt: (tensor: LayoutTensor) => Addresses;
  readonly copies: Pick<Copies, "views">;
}

export function createModelProgram(program: Program, samples: number, feeds: ModelFeeds): ModelProgram {
  const { model, weightsAt, copies } = feeds;
  const run = (batch: DecodedMicroBatch, loss: Float32Array, results: Float32Array[][]): boolean | undefined => {
    const draws = model.draws(batch.number);
    const keys = program.draws.map((index) => draws[index]);
    return program.run([batch.inputs, batch.labels, ...keys], [[loss], ...results]);
  };

  return {
    samples,
    load: () => program.load(model.weights.map((tensor) => copies.views(tensor, weightsAt(tensor)))),
    weights: () => program.variables(),

    compute(batch, target) {
      const loss = new Float32Array(1);
      const results = model.results.map((tensor) => copies.views(tensor, target));
      const finite = run(batch, loss, results);
      return { loss: loss[0], finite };
    },

    faultOf(batch, target, meanLoss) {
      const loss = new Float32Array(1);
      const expected = model.results.map((tensor) => copies.views(tensor, target));
      const results = expected.map((views) => views.map((view) => new Float32Array(view.length)));
      try {
        program.load(model.currentWeights().map((values) => [values]));
        run(batch, loss, results);
      } catch (error) {
        return messageOf(error);
      }
      const same =
        sameBits(loss, Float32Array.of(meanLoss)) &&
        expected.every((views, i) => views.every((view, j) => sameBits(view, results[i][j])));
      return same ? undefined : "the compiled program's bits are others";
    },

    close: () => program.close(),
  };
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bits = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bits(a).equals(bits(b));
}
