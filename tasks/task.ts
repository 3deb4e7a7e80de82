/**
 * A task is everything that decides what is trained: with the data set's bytes and a numerics class it fixes every
 * bit of a run. `taskInputSchema` is what a person may write (most fields have defaults), `Task` the result:
 * complete, JSON-serialisable, written to task.json and sent to workers as it is.
 *
 * Lengths and intervals are counted in samples, never in steps, because a step's size (κ) may change.
 */
import { z } from "zod";
import { WIRE_FORMATS, type WireFormat } from "../shared/layout/index.js";
import type { EarlierEnd } from "../shared/optimizer/index.js";
import { PRECISIONS, type Precision } from "../shared/precision.js";
import type { KappaRule } from "../shared/steps/index.js";

const wholeNumber = (min: number, max: number) => z.int().min(min).max(max);
const samplesMax = 1e15;

const pathField = z.string().min(1).max(4096);
const limits = {
  /** Use only the first samples of the training part; null: all. */
  limit: wholeNumber(1, 2 ** 32 - 1)
    .nullable()
    .default(null),
  /** The same for the test part. */
  testLimit: wholeNumber(1, 2 ** 32 - 1)
    .nullable()
    .default(null),
};

const datasetSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("mnist"), ...limits }),
  z.strictObject({ kind: z.literal("idx"), folder: pathField, ...limits }),
  z.strictObject({
    kind: z.literal("csv"),
    file: pathField,
    /** A separate file for the test part. Without it `testFraction` of the rows are set aside. */
    testFile: pathField.nullable().default(null),
    testFraction: z.number().min(0).lt(1).default(0.2),
    header: z.boolean().default(true),
    delimiter: z.string().length(1).default(","),
    /** The columns to predict, by header name, or by number from 0 if there is no header. */
    label: z.union([z.string(), wholeNumber(0, 100_000), z.array(z.union([z.string(), z.int()])).min(1)]),
    target: z.enum(["classes", "numbers"]),
    /** Columns to leave out. */
    ignore: z.array(z.union([z.string(), z.int()])).default([]),
    ...limits,
  }),
  z.strictObject({
    kind: z.literal("cifar10"),
    folder: pathField,
    augment: z.enum(["none", "crop-flip", "autoaugment"]).default("none"),
    ...limits,
  }),
  z.strictObject({
    kind: z.literal("text"),
    file: pathField,
    /** The number of characters in a sample. */
    context: wholeNumber(1, 65_536),
    /** The share of the text, at its end, that is set aside for the test part. */
    testFraction: z.number().min(0).lt(1).default(0.1),
    ...limits,
  }),
]);

const layerSchema = z.looseObject({ layer: z.string().min(1) });

const sizeField = wholeNumber(1, 65_536);
/** The input's shape and the number of classes; null takes them from the data. */
const ofData = {
  inputShape: z.array(sizeField).length(3).nullable().default(null),
  classes: sizeField.nullable().default(null),
};
const blocks = (defaults: { layers: number; heads: number; width: number; dropout: number }) => ({
  layers: wholeNumber(1, 256).default(defaults.layers),
  heads: wholeNumber(1, 1024).default(defaults.heads),
  width: sizeField.default(defaults.width),
  dropout: z.number().min(0).lt(1).default(defaults.dropout),
});

const modelSchema = z.discriminatedUnion("kind", [
  z.strictObject({ kind: z.literal("sequential"), layers: z.array(layerSchema).min(1).max(2000) }),
  z.strictObject({
    kind: z.literal("resnet18"),
    ...ofData,
    width: sizeField.default(64),
    normalization: z.enum(["batch", "layer", "group"]).default("batch"),
  }),
  z.strictObject({
    kind: z.literal("vit"),
    ...ofData,
    ...blocks({ layers: 7, heads: 8, width: 384, dropout: 0 }),
    patch: wholeNumber(1, 1024).default(4),
    /** null: as wide as the blocks. */
    mlpWidth: sizeField.nullable().default(null),
  }),
  z.strictObject({
    kind: z.literal("gpt"),
    /** null, here and for `context`, takes them from the data. */
    vocabulary: sizeField.nullable().default(null),
    context: sizeField.nullable().default(null),
    ...blocks({ layers: 6, heads: 6, width: 384, dropout: 0.2 }),
    /** null: four times as wide as the blocks. */
    mlpWidth: sizeField.nullable().default(null),
  }),
  z.strictObject({
    kind: z.literal("module"),
    path: pathField.nullable(),
    hash: z.string().regex(/^[0-9a-f]{64}$/),
  }),
]);

const optimizerSchema = z.discriminatedUnion("name", [
  z.strictObject({
    name: z.literal("invariant"),
    rule: z.enum(["linear", "exponential", "pathwise"]).default("linear"),
  }),
  z.strictObject({ name: z.literal("sqrt"), epsilon: z.enum(["scaled", "kept"]).default("scaled") }),
  z.strictObject({ name: z.literal("linear-standard") }),
  z.strictObject({ name: z.literal("standard") }),
]);

const scheduleSchema = z.strictObject({
  kind: z.enum(["constant", "linear", "cosine"]),
  warmupSamples: wholeNumber(0, samplesMax).default(0),
  /** After how many samples the decay ends; null: with the run. */
  totalSamples: wholeNumber(1, samplesMax).nullable().default(null),
  /** The last learning rate as a share of the first. */
  finalFraction: z.number().min(0).max(1).default(0),
  /** Where the decay ended before --extend made the run longer; it holds for the samples below `untilSamples`. */
  earlier: z
    .array(z.strictObject({ untilSamples: wholeNumber(1, samplesMax), totalSamples: wholeNumber(1, samplesMax) }))
    .max(1000)
    .optional(),
});

const pattern = z.string().min(1).max(1000);

/** Biases, and the scale and shift of every normalisation layer; also PReLU's slopes. */
const DECAY_EXCLUDED = ["*/bias", "*/gamma", "*/beta", "*/alpha"];

const kappaMax = 65_536;
const rangeEnd = { max: wholeNumber(1, kappaMax).nullable().default(null) };

/** A number, or a range in which κ follows the live workers or the gradient noise scale. `max` null: the rule's largest. */
const microBatchesPerStepSchema = z.union([
  wholeNumber(1, kappaMax),
  z.strictObject({ perWorker: wholeNumber(1, kappaMax), min: wholeNumber(1, kappaMax).default(1), ...rangeEnd }),
  z.strictObject({
    perNoiseScale: z.number().positive().max(1e6),
    // One micro-batch shows no noise.
    min: wholeNumber(2, kappaMax).default(2),
    ...rangeEnd,
  }),
]);

export const taskInputSchema = z.strictObject({
  name: z
    .string()
    .min(1)
    .max(100)
    .regex(/^[A-Za-z0-9._-]+$/),
  seed: wholeNumber(0, 2 ** 31 - 1).default(0),
  model: modelSchema,
  initialWeights: z.enum(["seeded", "model"]).default("seeded"),
  loss: z.enum(["softmaxCrossEntropy", "binaryCrossEntropy", "meanSquaredError"]),
  labelSmoothing: z.number().min(0).lt(1).default(0),
  dataset: datasetSchema,
  microBatchSize: wholeNumber(1, 65_536),
  microBatchesPerStep: microBatchesPerStepSchema.default(1),
  samples: wholeNumber(1, samplesMax),
  optimizer: optimizerSchema.default({ name: "invariant", rule: "linear" }),
  learningRate: z.number().positive().max(1e3),
  beta1: z.number().min(0).lt(1).default(0.9),
  beta2: z.number().min(0).lt(1).default(0.999),
  epsilon: z.number().positive().max(1).default(1e-8),
  weightDecay: z.number().min(0).max(1e3).default(0),
  weightDecayExclude: z.array(pattern).max(1000).default(DECAY_EXCLUDED),
  schedule: scheduleSchema.default({ kind: "constant", warmupSamples: 0, totalSamples: null, finalFraction: 0 }),
  clipNorm: z.number().positive().nullable().default(null),
  freeze: z.array(pattern).max(1000).default([]),
  evaluateEverySamples: wholeNumber(1, samplesMax).nullable().default(null),
  evaluationBatchSize: wholeNumber(1, 65_536).default(500),
  checkpointEverySamples: wholeNumber(1, samplesMax).nullable().default(null),
  checkpointsKept: wholeNumber(1, 1000).default(3),
  mixed: z.boolean().default(false),
  wire: z.enum(WIRE_FORMATS).default("float32"),
  precision: z.enum(PRECISIONS).default("float32"),
});

/** A task file's fields, defaults filled in except those that follow from other fields. */
export type ParsedTask = z.output<typeof taskInputSchema>;

/** What a person may write in a task file. */
export type TaskInput = z.input<typeof taskInputSchema>;

export type Loss = "softmaxCrossEntropy" | "binaryCrossEntropy" | "meanSquaredError";

/** Which samples are trained on. Paths are absolute. */
export type DatasetSpec = z.output<typeof datasetSchema>;

/**
 * `resnet18`, `vit`, `gpt`: built in, in sizes that the task chooses.
 * `sequential`: tfjs layers by class name with their tfjs configuration, e.g. `{layer: "Dense", units: 10}`.
 * `module`: built by the module at `path` (absolute), whose bytes have the SHA-256 `hash`; or, where `path` is null, by a
 * function of the program that started the run, with `hash` over what it made.
 */
export type ModelSpec = z.output<typeof modelSchema>;

export interface Task {
  readonly name: string;
  readonly seed: number;
  readonly model: ModelSpec;
  /** `seeded`: drawn by the layers' initialisers from `seed`. `model`: those of the task module's model. */
  readonly initialWeights: "seeded" | "model";
  readonly loss: Loss;
  /** The share of a softmax cross-entropy's target that is spread over all classes; in training only. */
  readonly labelSmoothing: number;
  readonly dataset: DatasetSpec;
  /** b: samples whose mean loss is differentiated at once. */
  readonly microBatchSize: number;
  /** κ, the micro-batches that one update of the weights consumes: a number, or how it follows workers or noise. */
  readonly microBatchesPerStep: KappaRule;
  /** The run's length; a multiple of microBatchSize. */
  readonly samples: number;
  readonly optimizer: z.output<typeof optimizerSchema>;
  /** At κ = 1, as are beta1, beta2 and weightDecay. */
  readonly learningRate: number;
  readonly beta1: number;
  readonly beta2: number;
  readonly epsilon: number;
  readonly weightDecay: number;
  /** Patterns of weight names (`*` stands for any characters) that do not decay. */
  readonly weightDecayExclude: readonly string[];
  readonly schedule: {
    readonly kind: "constant" | "linear" | "cosine";
    readonly warmupSamples: number;
    readonly totalSamples: number;
    readonly finalFraction: number;
    readonly earlier?: readonly EarlierEnd[];
  };
  /** The largest global norm of one micro-batch's gradient; null: not clipped. */
  readonly clipNorm: number | null;
  /** Patterns of layer names whose weights are not trained. */
  readonly freeze: readonly string[];
  readonly evaluateEverySamples: number;
  readonly evaluationBatchSize: number;
  readonly checkpointEverySamples: number;
  readonly checkpointsKept: number;
  /** Whether workers of several numerics classes may train together, at the price of bit-exactness. */
  readonly mixed: boolean;
  /**
   * `bfloat16`: gradients are computed with parameters rounded to bfloat16, and each micro-batch's gradient is rounded to it
   * before it enters a sum, so that both take two bytes per parameter on the wire. The server's weights and all sums are
   * float32 in any case, so the bits of a run don't depend on the workers that computed it.
   */
  readonly wire: WireFormat;
  /** How matrix products and convolutions are computed; everything else is float32. Part of the numerics class. */
  readonly precision: Precision;
}

/** Micro-batches of the whole run: n goes from 0 to this, exclusive. */
export function microBatchesOf(task: Pick<Task, "samples" | "microBatchSize">): number {
  return Math.ceil(task.samples / task.microBatchSize);
}

/** Whether `name` matches a pattern in which `*` stands for any characters, also for none. */
export function matchesPattern(name: string, pattern: string): boolean {
  const source = pattern.split("*").map((part) => part.replace(/[\\^$.*+?()[\]{}|]/g, "\\$&"));
  return new RegExp(`^${source.join(".*")}$`, "s").test(name);
}
