/** For every layer that is trained: a small one, another value for each of its options, and what is refused. */
import { tensorflow as tf } from "./tensorflow.js";

export type Config = Record<string, unknown>;

const SEQUENCE = [4, 3];
const PLANE = [5, 6, 3];
const VOLUME = [3, 4, 4, 2];
const window = { filters: 4, kernelSize: 2 };
const recurrent = { units: 3, recurrentInitializer: "glorotUniform" };
const gru = () => tf.layers.gru(recurrent as never);
const cell = () => tf.layers.gruCell(recurrent as never);

/** For each class that is trained, what the smallest layer of it is made with, and an input that it takes. */
export const SMALLEST: Record<string, [shape: number[], config: () => Config]> = {
  Dense: [[5], () => ({ units: 4 })],
  Embedding: [[6], () => ({ inputDim: 5, outputDim: 3 })],
  Flatten: [PLANE, () => ({})],
  Reshape: [[12], () => ({ targetShape: [3, 4] })],
  Permute: [PLANE, () => ({ dims: [3, 1, 2] })],
  RepeatVector: [[4], () => ({ n: 3 })],
  Masking: [SEQUENCE, () => ({})],
  Dropout: [[6], () => ({ rate: 0.4 })],
  SpatialDropout1D: [SEQUENCE, () => ({ rate: 0.4 })],
  Activation: [[6], () => ({ activation: "tanh" })],
  ...Object.fromEntries(
    ["ReLU", "LeakyReLU", "ELU", "ThresholdedReLU"].map((name) => [
      name,
      [[6], () => ({})] as [number[], () => Config],
    ]),
  ),
  PReLU: [PLANE, () => ({})],
  Softmax: [SEQUENCE, () => ({})],
  Concatenate: [SEQUENCE, () => ({})],
  Dot: [SEQUENCE, () => ({ axes: 2 })],
  Conv1D: [[7, 3], () => window],
  ...Object.fromEntries(
    ["Conv2D", "Conv2DTranspose", "SeparableConv2D"].map((name) => [
      name,
      [PLANE, () => window] as [number[], () => Config],
    ]),
  ),
  Conv3D: [VOLUME, () => window],
  Conv3DTranspose: [VOLUME, () => window],
  DepthwiseConv2D: [PLANE, () => ({ kernelSize: 2 })],
  Cropping2D: [PLANE, () => ({ cropping: 1 })],
  ZeroPadding2D: [PLANE, () => ({})],
  UpSampling2D: [PLANE, () => ({})],
  ...Object.fromEntries(
    ["MaxPooling", "AveragePooling"].flatMap((kind) =>
      [[7, 3], PLANE, VOLUME].map((shape, i) => [`${kind}${i + 1}D`, [shape, () => ({})] as [number[], () => Config]]),
    ),
  ),
  GlobalMaxPooling2D: [PLANE, () => ({})],
  GlobalAveragePooling2D: [PLANE, () => ({})],
  BatchNormalization: [PLANE, () => ({})],
  LayerNormalization: [PLANE, () => ({})],
  SimpleRNN: [SEQUENCE, () => recurrent],
  GRU: [SEQUENCE, () => recurrent],
  LSTM: [SEQUENCE, () => recurrent],
  RNN: [SEQUENCE, () => ({ cell: cell() })],
  ConvLSTM2D: [VOLUME, () => ({ ...window, recurrentInitializer: "glorotUniform" })],
  TimeDistributed: [SEQUENCE, () => ({ layer: tf.layers.dense({ units: 2 }) })],
  Bidirectional: [SEQUENCE, () => ({ layer: gru() })],
  Rescaling: [[4], () => ({ scale: 0.5 })],
  CategoryEncoding: [[3], () => ({ numTokens: 4 })],
};

/** Classes without own options, or covered by the layers that hold them. */
export const WITHOUT_OPTIONS = new Set([
  ...["InputLayer", "Functional", "Model", "Sequential", "Add", "Multiply", "Average", "Maximum", "Minimum"],
  ...["GlobalMaxPooling1D", "GlobalAveragePooling1D"],
  // By SimpleRNN, GRU, LSTM, ConvLSTM2D and RNN.
  ...["SimpleRNNCell", "GRUCell", "LSTMCell", "ConvLSTM2DCell", "StackedRNNCells"],
]);

/** Ours, whose options tfjs does not declare. */
export const OWN: Record<string, [shape: number[], config: Config, options: Config]> = {
  SelfAttention: [
    [4, 6],
    { heads: 2 },
    { heads: 3, causal: true, useBias: false, dropout: 0.2, stddev: 1, outputStddev: 1 },
  ],
  TokenEmbedding: [[5], { vocabulary: 7, width: 4 }, { vocabulary: 9, width: 5, stddev: 1 }],
  PositionEmbedding: [SEQUENCE, {}, { stddev: 1 }],
  ClassToken: [SEQUENCE, {}, { stddev: 1 }],
  FirstPosition: [SEQUENCE, {}, {}],
  GroupNormalization: [PLANE, { groups: 1 }, { groups: 3, epsilon: 0.1 }],
};

/** For each option a value other than its default; by class where one value does not fit all. */
const OTHER: Record<string, unknown> = {
  units: 5,
  activation: "sigmoid",
  useBias: false,
  outputDim: 4,
  maskZero: true,
  inputLength: 6,
  targetShape: [2, 6],
  dataFormat: "channelsFirst",
  dims: [2, 3, 1],
  n: 4,
  maskValue: 0.5,
  rate: 0.7,
  noiseShape: [1, 6],
  seed: 5,
  maxValue: 0.5,
  alpha: 0.7,
  sharedAxes: [1, 2],
  theta: 0.3,
  axis: 1,
  axes: 1,
  normalize: true,
  filters: 5,
  kernelSize: 1,
  strides: 2,
  padding: "same",
  dilationRate: 2,
  depthMultiplier: 2,
  size: [3, 1],
  poolSize: 1,
  interpolation: "bilinear",
  momentum: 0.5,
  epsilon: 0.01,
  center: false,
  scale: false,
  returnSequences: true,
  returnState: true,
  goBackwards: true,
  stateful: true,
  unroll: true,
  dropout: 0.2,
  recurrentDropout: 0.2,
  recurrentActivation: "tanh",
  implementation: 2,
  unitForgetBias: false,
  mergeMode: "sum",
  offset: 2,
  numTokens: 6,
  outputMode: "count",
  inputDim: 9,
  cropping: [
    [1, 0],
    [2, 1],
  ],
};

export function otherValue(className: string, option: string): unknown {
  if (option.endsWith("Initializer")) return tf.initializers.randomNormal({ mean: 0, stddev: 0.3, seed: 7 });
  if (option.endsWith("Regularizer")) return tf.regularizers.l1l2({ l1: 0.3, l2: 0.2 });
  if (option.endsWith("Constraint")) return tf.constraints.nonNeg();
  if (option === "strides" && className.includes("Pooling")) return 1;
  if (option === "padding" && className === "ZeroPadding2D") return OTHER.cropping;
  if (option === "scale" && className === "Rescaling") return 3;
  // The only other axis that tfjs's cpu backend computes.
  if (className === "Softmax") return 2;
  if (option === "cell") return [cell(), cell()];
  if (option === "layer") return className === "Bidirectional" ? tf.layers.lstm(recurrent as never) : tf.layers.reLU();
  return OTHER[option];
}

/** Options that don't reach the weights or the arithmetic of the classes that declare them. */
export const LEFT_OUT = new Set([
  // The size of the input, given elsewhere; a function that tfjs's tests inject; what follows from other options.
  ...["Dense.inputDim", "SimpleRNN.inputDim", "GRU.inputDim", "LSTM.inputDim", "ConvLSTM2D.inputDim", "RNN.inputDim"],
  ...["SimpleRNN.dropoutFunc", "GRU.dropoutFunc", "LSTM.dropoutFunc", "ConvLSTM2D.dropoutFunc"],
  ...["SimpleRNN.cell", "GRU.cell", "LSTM.cell", "ConvLSTM2D.cell", "ConvLSTM2D.units"],
]);

/** What is refused, in a module and in a task file: nowhere else may an option be lost. */
export const REFUSED: [options: RegExp, reason: RegExp][] = [
  [/^SeparableConv2D\.kernel(Initializer|Regularizer|Constraint)$/, /are invalid for SeparableConv2D|not be applied/],
  [
    /^DepthwiseConv2D\.kernel(Initializer|Regularizer|Constraint)$/,
    /ignores kernel|unknown field "kernel|not be applied/,
  ],
  [/\.\w+Constraint$/, /Constraint would not be applied/],
  [/\.activityRegularizer$/, /activity[_ ]?[rR]egularizer/],
  [/RNN\.(recurrentD|d)ropout$|(GRU|LSTM|ConvLSTM2D)\.(recurrentD|d)ropout$/, /takes no seed/],
  [/\.stateful$/, /stateful/],
  [/\.returnState$/, /single output/],
  [/^ConvLSTM2D\.unroll$/, /Unrolling is not possible/],
  [/^ELU\.alpha$/, /Non-default alpha/],
  [
    /^Conv1D\.dataFormat$/,
    /dataFormat is "channelsFirst", and becomes "channelsLast"|outputs channels last whatever its dataFormat/,
  ],
  [
    /^Conv[23]DTranspose\.dilationRate$/,
    /dilationRate is \[2,2(,2)?\], and becomes \[1,1(,1)?\]|ignores its dilationRate/,
  ],
];
