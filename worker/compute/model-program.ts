/** A compiled program that computes a model's gradient: what it is fed with, and where its results are written. */
import { messageOf } from "../../shared/errors.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { GradientForm, HostVectors, Numbers, Program, ProgramSums } from "../backends/index.js";
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
  /** As `ModelGradient` does. */
  compute(batch: DecodedMicroBatch, target: Addresses): ComputedGradient;
  /** What it sums by itself; undefined: nothing. */
  readonly sums: ModelSums | undefined;
  /**
   * Computes with the model's own weights what the model has computed, and compares all bits.
   * @param target where the model's results are, which are left alone
   * @returns as a sentence's end, why the program is of no use; undefined if it is
   */
  faultOf(batch: DecodedMicroBatch, target: Addresses, meanLoss: number): string | undefined;
  close(): void;
}

export interface ComputedGradient {
  readonly loss: number;
  /** Whether all that was written is finite, if that is known. */
  readonly finite?: boolean;
  /** Whether it is clipped and rounded already. */
  readonly finished?: boolean;
}

/** The sums of a program whose gradient is a micro-batch's. */
export interface ModelSums extends Omit<ProgramSums, "compute"> {
  compute(batch: DecodedMicroBatch): { loss: number; finite: boolean };
}

/** What a model's program is fed from. */
export interface ModelFeeds {
  readonly model: ModelGradient;
  /** The vector that holds a tensor's values when weights are loaded. */
  readonly weightsAt: (tensor: LayoutTensor) => Addresses;
  readonly copies: Pick<Copies, "views">;
  /** How the program sums gradients by itself, if it is to. */
  readonly keeping?: Keeping;
}

export interface Keeping {
  readonly form: GradientForm;
  /** Where a finished gradient is written to. */
  vectorsAt(target: Addresses): HostVectors;
}

export function createModelProgram(program: Program, samples: number, feeds: ModelFeeds): ModelProgram {
  const { model, weightsAt, copies, keeping } = feeds;
  const given = ({ number, inputs, labels }: DecodedMicroBatch): Numbers[] => {
    const draws = model.draws(number);
    return [inputs, labels, ...program.draws.map((index) => draws[index])];
  };
  const run = (batch: DecodedMicroBatch, loss: Float32Array, results: Float32Array[][]): boolean | undefined =>
    program.run(given(batch), [[loss], ...results]);
  let opened: ModelSums | undefined;
  const sums = (): ModelSums | undefined => {
    if (opened !== undefined || keeping === undefined || program.sums === undefined) return opened;
    const kept = program.sums(keeping.form);
    opened = { ...kept, compute: (batch) => kept.compute(given(batch)) };
    return opened;
  };

  return {
    samples,
    load: () => program.load(model.weights.map((tensor) => copies.views(tensor, weightsAt(tensor)))),
    weights: () => program.variables(),

    get sums() {
      return sums();
    },

    compute(batch, target) {
      const kept = sums();
      if (kept !== undefined) {
        const computed = kept.compute(batch);
        kept.readGradient(keeping!.vectorsAt(target));
        return { ...computed, finished: true };
      }
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
