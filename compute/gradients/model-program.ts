/** A compiled program that computes a model's gradient: its inputs, and where its results are written. */

import type { GradientForm, HostVectors, Numbers, Program, ProgramSums } from "../../backends/index.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import type { Addresses } from "../memory.js";
import type { Copies } from "./copies.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";

export interface ModelProgram {
  /** The number of samples of the micro-batches that it computes. */
  readonly samples: number;
  /** Loads the weights from the shared memories. */
  load(): void;
  /** Loads the model's own weights. */
  loadFromModel(): void;
  /** The program's weights, in the order of the model's `weights`. */
  weights(): Float32Array[];
  /** Computes as `ModelGradient` does. */
  compute(batch: DecodedMicroBatch, target: Addresses): ComputedGradient;
  /** Computes a gradient into new arrays, neither clipped nor rounded. */
  result(batch: DecodedMicroBatch): GradientResult;
  /** The sums that the program keeps; undefined: it keeps none. */
  readonly sums: ModelSums | undefined;
  close(): void;
}

export interface ComputedGradient {
  readonly loss: number;
  /** Whether all that was written is finite, if that is known. */
  readonly finite?: boolean;
  /** Whether it is already clipped and rounded. */
  readonly finished?: boolean;
}

/** The result of a micro-batch: the mean loss, and the elements of each of the model's `results`. */
export interface GradientResult {
  readonly loss: number;
  readonly tensors: readonly Float32Array[];
}

/** The sums that a program keeps of micro-batches' gradients. */
export interface ModelSums extends Omit<ProgramSums, "compute" | "later"> {
  compute(batch: DecodedMicroBatch): { loss: number; finite: boolean };
  readonly later?: {
    compute(batch: DecodedMicroBatch): Promise<{ loss: number; finite: boolean }>;
    readonly read: NonNullable<ProgramSums["later"]>["read"];
  };
}

/** What a model's program takes its inputs from. */
export interface ModelFeeds {
  readonly model: ModelGradient;
  /** The vector that holds a tensor's values when weights are loaded. */
  readonly weightsAt: (tensor: LayoutTensor) => Addresses;
  readonly copies: Pick<Copies, "views">;
  /** How the program keeps sums; undefined: it must keep none. */
  readonly keeping?: Keeping;
}

/** The form in which a program keeps and sums gradients, and how the host gets one of them. */
export interface Keeping {
  readonly form: GradientForm;
  /** Where a finished gradient is written to. */
  vectorsAt(target: Addresses): HostVectors;
  /** Clips and rounds a gradient on the host, as the program itself does. */
  finish(target: Addresses): void;
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
    const { later } = kept;
    opened = {
      ...kept,
      compute: (batch) => kept.compute(given(batch)),
      later: later && { read: later.read, compute: (batch) => later.compute(given(batch)) },
    };
    return opened;
  };

  return {
    samples,
    load: () => program.load(model.weights.map((tensor) => copies.views(tensor, weightsAt(tensor)))),
    loadFromModel: () => program.load(model.currentWeights().map((values) => [values])),
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

    result(batch) {
      const loss = new Float32Array(1);
      const tensors = model.results.map(({ length }) => new Float32Array(length));
      run(
        batch,
        loss,
        tensors.map((values) => [values]),
      );
      return { loss: loss[0], tensors };
    },

    close: () => program.close(),
  };
}

/** Copies what was computed into the vector at `target`. */
export function resultAt(
  { model, copies }: Pick<ModelFeeds, "model" | "copies">,
  loss: number,
  target: Addresses,
): GradientResult {
  const tensors = model.results.map((tensor) => joined(copies.views(tensor, target), tensor.length));
  return { loss, tensors };
}

function joined(views: readonly Float32Array[], length: number): Float32Array {
  const values = new Float32Array(length);
  let at = 0;
  for (const view of views) {
    values.set(view, at);
    at += view.length;
  }
  return values;
}

export function sameBits(a: GradientResult, b: GradientResult): boolean {
  const bits = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return Object.is(a.loss, b.loss) && a.tensors.every((values, i) => bits(values).equals(bits(b.tensors[i])));
}
