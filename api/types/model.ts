import type { LayersModel } from "../../tasks/tfjs/types.js";
import type { Settings } from "./run.js";

/** How a run's newest checkpoint is evaluated. */
export interface EvaluateOptions {
  /** What is computed with. Default: what the run was computed with, or else the first backend that works. */
  readonly backend?: string;
  /** Settings that the command line takes from its environment. Default: none. */
  readonly settings?: Settings;
}

/** The newest sound checkpoint on the task's test part. */
export interface RunEvaluation {
  /** The task's name. */
  readonly task: string;
  readonly step: number;
  /** Samples trained. */
  readonly samples: number;
  readonly testSamples: number;
  readonly loss: number;
  /** In [0, 1]; null where it has no meaning. */
  readonly accuracy: number | null;
  readonly backend: string;
  /** What to know about these numbers, a sentence each: a damaged checkpoint, changed test data, another backend. */
  readonly notes: readonly string[];
}

/** Where and how a model is exported. */
export interface ExportOptions {
  /** `"tfjs"`: a LayersModel that `tf.loadLayersModel` loads. `"safetensors"`: the weights by name. Default: `"tfjs"`. */
  readonly format?: "tfjs" | "safetensors";
  /** The folder (tfjs, new or empty) or file (safetensors). Default: in `export/` of the run directory. */
  readonly out?: string;
}

/** An exported model. */
export interface ExportedModel {
  /** `model.json` (tfjs), or the safetensors file. */
  readonly file: string;
  /** The step of its checkpoint. */
  readonly step: number;
  /** What to know about it, a sentence each: a damaged checkpoint, layers that plain TensorFlow.js computes differently. */
  readonly notes: readonly string[];
}

/** A trained model, and what is needed to use it. */
export interface LoadedRun {
  /** The model with the newest sound checkpoint's weights; it ends in logits where the loss is a cross-entropy. */
  readonly model: LayersModel;
  /** The task's name. */
  readonly task: string;
  /** The step of the checkpoint. */
  readonly step: number;
  readonly loss: "softmaxCrossEntropy" | "binaryCrossEntropy" | "meanSquaredError";
  /** The name of each class, in the order of the model's outputs; undefined where what is predicted are numbers. */
  readonly labels: readonly string[] | undefined;
  readonly input: InputForm;
  /** What to know about it, a sentence each. */
  readonly notes: readonly string[];
  /**
   * What the model says about some samples, in their order.
   * @param samples each as the data set has it: see `Sample`
   * @throws IsobatchError `invalid_input` for a sample of another form
   */
  predict(samples: readonly Sample[]): Promise<Prediction[]>;
  /** Frees the model's memory. */
  dispose(): void;
}

/** How a sample becomes what the model is fed: `(number × scale − mean) ÷ deviation`, in float32. */
export interface InputForm {
  /** The shape of one sample, such as [28, 28, 1]. */
  readonly shape: readonly number[];
  readonly scale: number;
  /** What is subtracted from each channel (the last dimension), and what it is divided by; absent where nothing is subtracted. */
  readonly normalization?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** The names of a CSV file's columns, in their order. */
  readonly columns?: readonly string[];
  /** The characters of a text's vocabulary, by number. */
  readonly characters?: readonly string[];
}

/**
 * One sample as the data set has it, not scaled: all its numbers in the order of the input's shape (pixels from 0 to 255), or
 * a CSV row as an object with its columns by name, or a text of the task's context length.
 */
export type Sample = ArrayLike<number> | Readonly<Record<string, number>> | string;

/** What a model says about one sample. */
export interface Prediction {
  /** The model's own output: logits, or the numbers predicted. With several positions, in their order. */
  readonly outputs: Float32Array;
  /** Softmax, or sigmoid, of the logits; absent for `meanSquaredError`. */
  readonly probabilities?: Float32Array;
  /** The most probable class, of the last position; absent where what is predicted are numbers. */
  readonly class?: number;
  /** Its name. */
  readonly label?: string;
}
