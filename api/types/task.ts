import type { LayersModel, TensorFlow } from "../../tasks/tfjs/types.js";

/**
 * What is trained: the name of a built-in task (`"mnist"`), the path of a task file (`.json`) or of a task module (`.js`,
 * `.mjs`, `.cjs`, `.ts`), or the task itself as an object.
 */
export type TaskSource = string | TaskDefinition;

/**
 * A task as a person writes it: in a program, in a task module, or (without functions) in a JSON file. Lengths and intervals
 * are counted in samples. A field that is left out has the value of the task that `extends` names, or else its default.
 */
export interface TaskDefinition {
  /**
   * The task whose fields apply where this one has none: a built-in's name, or the path of a JSON file. A relative path
   * starts at the file that has it, or at the working directory where the task is an object.
   */
  readonly extends?: string;
  /** Letters, digits, `.`, `_` and `-`; at most 100. Default: the file's name, or `"task"` where the task is an object. */
  readonly name?: string;
  /** Decides all that is random: first weights, the order of the samples, dropout, augmentation. Default: 0. */
  readonly seed?: number;
  /**
   * The model: a description, or a function that makes it. The function runs once, in the process that starts the run;
   * workers get the model's topology. It returns a LayersModel with one input and one output, which ends in logits where the
   * loss is a cross-entropy.
   */
  readonly model?: DescribedModel | ModelFunction;
  /** `"seeded"`: drawn by the layers' initializers from `seed`. `"model"`: as the model function's model has them. Default: `"seeded"`. */
  readonly initialWeights?: "seeded" | "model";
  /** What is minimized; the cross-entropies apply softmax and sigmoid themselves. */
  readonly loss?: "softmaxCrossEntropy" | "binaryCrossEntropy" | "meanSquaredError";
  /** The share of a softmax target that is spread over all classes, in training only; in [0, 1). Default: 0. */
  readonly labelSmoothing?: number;
  /** The samples. Relative paths start where those of `extends` do. */
  readonly dataset?: DatasetDescription;
  /** b, the samples whose mean loss is differentiated at once; 1 to 65,536. */
  readonly microBatchSize?: number;
  /**
   * κ, the micro-batches of one step: a number, or how it follows the live workers or the gradient noise scale. `max` null: the
   * largest that the optimizer's rule allows. Default: 1.
   */
  readonly microBatchesPerStep?:
    | number
    | { readonly perWorker: number; readonly min?: number; readonly max?: number | null }
    | { readonly perNoiseScale: number; readonly min?: number; readonly max?: number | null };
  /** The run's length in samples; rounded up to whole micro-batches. */
  readonly samples?: number;
  /** How learning rate and averages follow κ. Default: `{ name: "invariant", rule: "linear" }`. */
  readonly optimizer?:
    | { readonly name: "invariant"; readonly rule?: "linear" | "exponential" | "pathwise" }
    | { readonly name: "sqrt"; readonly epsilon?: "scaled" | "kept" }
    | { readonly name: "linear-standard" }
    | { readonly name: "standard" };
  /** η for one micro-batch per step; above 0, at most 1,000. */
  readonly learningRate?: number;
  /** β1 of Adam, for one micro-batch per step. Default: 0.9. */
  readonly beta1?: number;
  /** β2 of Adam, for one micro-batch per step. Default: 0.999. */
  readonly beta2?: number;
  /** ε of Adam. Default: 1e-8. */
  readonly epsilon?: number;
  /** Decoupled weight decay, for one micro-batch per step. Default: 0. */
  readonly weightDecay?: number;
  /** Patterns of weights that do not decay; `*` stands for any characters. Default: biases, and normalization's scale and shift. */
  readonly weightDecayExclude?: string[];
  /** How the learning rate changes over the run. Default: constant. */
  readonly schedule?: {
    readonly kind: "constant" | "linear" | "cosine";
    /** The learning rate rises from 0 over this many samples. Default: 0. */
    readonly warmupSamples?: number;
    /** Where the decay ends, in samples; null: with the run. */
    readonly totalSamples?: number | null;
    /** The last learning rate as a share of the first. Default: 0. */
    readonly finalFraction?: number;
    /** Written by the option `extend`. */
    readonly earlier?: { readonly untilSamples: number; readonly totalSamples: number }[];
  };
  /** The largest norm of one micro-batch's gradient; null: not clipped. Default: null. */
  readonly clipNorm?: number | null;
  /** Patterns of layers that are not trained, with everything inside them. Default: none. */
  readonly freeze?: string[];
  /** The test part is evaluated at the first step after this many samples. Default: a tenth of the run. */
  readonly evaluateEverySamples?: number | null;
  /** Samples that are evaluated at once. Default: 500. */
  readonly evaluationBatchSize?: number;
  /** A checkpoint is written at the first step after this many samples. Default: a tenth of the run. */
  readonly checkpointEverySamples?: number | null;
  /** How many of the newest checkpoints are kept. Default: 3. */
  readonly checkpointsKept?: number;
  /** Whether workers of several numerics classes may train together, which gives up equal bits. Default: false. */
  readonly mixed?: boolean;
  /** `"bfloat16"` halves what weights and single gradients take on a network; the bits differ. Default: `"float32"`. */
  readonly wire?: "float32" | "bfloat16";
  /** The precision of matrix products and convolutions. Default: `"float32"`. */
  readonly precision?: "float32" | "tf32" | "bfloat16";
}

/** Makes the model that is trained. `tf` is the TensorFlow.js that Isobatch uses; another copy of the same version works too. */
export type ModelFunction = (tf: TensorFlow) => LayersModel | Promise<LayersModel>;

/** A model by description; sizes that are left out or null are the data's, or those of the model's own default. */
export type DescribedModel =
  | {
      readonly kind: "sequential";
      /** Layers by the class name of TensorFlow.js, each with its configuration, such as `{ layer: "Dense", units: 10 }`. */
      readonly layers: { readonly layer: string; readonly [option: string]: unknown }[];
    }
  | {
      readonly kind: "resnet18";
      readonly inputShape?: number[] | null;
      readonly classes?: number | null;
      readonly width?: number;
      readonly normalization?: "batch" | "layer" | "group";
    }
  | {
      readonly kind: "vit";
      readonly inputShape?: number[] | null;
      readonly classes?: number | null;
      readonly layers?: number;
      readonly heads?: number;
      readonly width?: number;
      readonly dropout?: number;
      readonly patch?: number;
      readonly mlpWidth?: number | null;
    }
  | {
      readonly kind: "gpt";
      readonly vocabulary?: number | null;
      readonly context?: number | null;
      readonly layers?: number;
      readonly heads?: number;
      readonly width?: number;
      readonly dropout?: number;
      readonly mlpWidth?: number | null;
    };

/** The samples to train and to test on. `limit` and `testLimit` use only the first of each part. */
export type DatasetDescription =
  | ({ readonly kind: "mnist" } & DatasetLimits)
  | ({ readonly kind: "idx"; readonly folder: string } & DatasetLimits)
  | ({
      readonly kind: "csv";
      readonly file: string;
      /** The file of the test part. Default: `testFraction` of the rows are set aside. */
      readonly testFile?: string | null;
      /** Default: 0.2. */
      readonly testFraction?: number;
      /** Whether the first line names the columns. Default: true. */
      readonly header?: boolean;
      /** Default: `","`. */
      readonly delimiter?: string;
      /** The columns to predict, by name, or by number from 0 where there is no header. */
      readonly label: string | number | (string | number)[];
      readonly target: "classes" | "numbers";
      /** Columns to leave out. */
      readonly ignore?: (string | number)[];
    } & DatasetLimits)
  | ({
      readonly kind: "cifar10";
      readonly folder: string;
      readonly augment?: "none" | "crop-flip" | "autoaugment";
    } & DatasetLimits)
  | ({
      readonly kind: "text";
      readonly file: string;
      /** Characters of a sample. */
      readonly context: number;
      /** The end of the text that is set aside for the test part. Default: 0.1. */
      readonly testFraction?: number;
    } & DatasetLimits);

/** How many of a data set's samples are used; null: all. */
export interface DatasetLimits {
  readonly limit?: number | null;
  readonly testLimit?: number | null;
}
