import { suggestion } from "../../shared/nearest.js";

/**
 * Every layer class of tfjs, and our own: either trained correctly, as finite differences in float64 show (the tests are
 * next to the backends), or refused at the start, by name. A test compares the table with what tfjs registers, so that
 * none can be missing.
 */
export type LayerEntry = { readonly trained: true } | { readonly trained: false; readonly reason: string };

const TRAINED = [
  ...["InputLayer", "Functional", "Model", "Sequential"],
  ...["Dense", "Embedding", "Flatten", "Reshape", "Permute", "RepeatVector", "Masking", "Dropout", "SpatialDropout1D"],
  ...["Activation", "ReLU", "LeakyReLU", "PReLU", "ELU", "ThresholdedReLU", "Softmax"],
  ...["Add", "Multiply", "Average", "Maximum", "Minimum", "Concatenate", "Dot"],
  ...["Conv1D", "Conv2D", "Conv3D", "Conv2DTranspose", "Conv3DTranspose", "SeparableConv2D", "DepthwiseConv2D"],
  ...["Cropping2D", "ZeroPadding2D", "UpSampling2D"],
  ...["MaxPooling1D", "MaxPooling2D", "MaxPooling3D", "AveragePooling1D", "AveragePooling2D", "AveragePooling3D"],
  ...["GlobalMaxPooling1D", "GlobalMaxPooling2D", "GlobalAveragePooling1D", "GlobalAveragePooling2D"],
  ...["BatchNormalization", "LayerNormalization"],
  ...["RNN", "SimpleRNN", "SimpleRNNCell", "GRU", "GRUCell", "LSTM", "LSTMCell", "StackedRNNCells"],
  ...["ConvLSTM2D", "ConvLSTM2DCell", "TimeDistributed", "Bidirectional"],
  ...["Rescaling", "CategoryEncoding"],
  // Our own.
  ...["SelfAttention", "TokenEmbedding", "PositionEmbedding", "ClassToken", "FirstPosition", "GroupNormalization"],
];

const unseeded = "its randomness takes no seed, so no two machines would draw the same";

const REFUSED: Record<string, string> = {
  GaussianNoise: unseeded,
  GaussianDropout: unseeded,
  AlphaDropout: unseeded,
  RandomWidth: "its randomness continues from one call to the next, so it would depend on the order of the work",
  Resizing: "tfjs computes a wrong output shape for it; resize the images before training, or use UpSampling2D",
  CenterCrop: "what it does has no gradient in tfjs; use Cropping2D",
};

export const layerTable: Readonly<Record<string, LayerEntry>> = Object.fromEntries([
  ...TRAINED.map((name): [string, LayerEntry] => [name, { trained: true }]),
  ...Object.entries(REFUSED).map(([name, reason]): [string, LayerEntry] => [name, { trained: false, reason }]),
]);

/**
 * Why a layer can't be trained, or undefined if it can.
 * @param config the layer's tfjs configuration, in camelCase or snake_case.
 */
export function refusal(className: string, config: Readonly<Record<string, unknown>>): string | undefined {
  const entry = Object.hasOwn(layerTable, className) ? layerTable[className] : undefined;
  if (entry === undefined) {
    const hint = suggestion(className, TRAINED);
    return `it is not one of the layers that Isobatch knows${hint === undefined ? "" : ` (${hint})`}`;
  }
  return entry.trained ? refusalOfSettings(className, camelCased(config)) : entry.reason;
}

function refusalOfSettings(className: string, config: Record<string, unknown>): string | undefined {
  for (const [key, value] of Object.entries(config)) {
    // tfjs's own optimizers apply constraints after a step; here the weights are updated elsewhere.
    if (key.endsWith("Constraint") && isSet(value)) return `its ${key} would not be applied; leave it out`;
  }
  if (isSet(config.activityRegularizer)) return "its activityRegularizer is ignored by tfjs; leave it out";
  if (isSet(config.stateful)) return "with stateful: true it would depend on the order of the work; leave it out";
  if (className.startsWith("Conv") && config.padding === "causal") {
    return 'tfjs has no padding: "causal"; use "same" or "valid"';
  }
  for (const key of ["activation", "recurrentActivation"]) {
    // Written to JSON as "gelu_new", and read from it as "geluNew", which tfjs does not know.
    if (config[key] === "gelu_new")
      return `its ${key} "gelu_new" can't be read back by tfjs from its own JSON; use "gelu"`;
  }
  const reason = refusalOfSizes(className, config) ?? refusalOfRate(className, config);
  if (reason !== undefined) return reason;
  const isRecurrent = /RNN|GRU|LSTM/.test(className);
  for (const key of ["dropout", "recurrentDropout"]) {
    if (isRecurrent && Number(config[key] ?? 0) > 0) {
      return `the randomness of its ${key} takes no seed; set it to 0 and add Dropout layers between`;
    }
  }
  return undefined;
}

/** Why tfjs would compute something else for a layer's sizes or order of axes than these say; else undefined. */
function refusalOfSizes(className: string, config: Record<string, unknown>): string | undefined {
  const isLarge = (value: unknown): boolean => numbersOf(value).some((size) => size > 1);
  if (/Conv/.test(className) && isLarge(config.dilationRate)) {
    if (className.endsWith("Transpose")) return "tfjs ignores its dilationRate; leave it out";
    if (isLarge(config.strides))
      return "its strides and dilationRate can't both be larger than 1; set one of them to 1";
  }
  if (className === "Conv1D" && /^channels_?first$/i.test(String(config.dataFormat))) {
    return "tfjs outputs channels last whatever its dataFormat is; put Permute before and after it";
  }
  if (className === "UpSampling2D" && isSet(config.size) && numbersOf(config.size).length !== 2) {
    return `its size is ${JSON.stringify(config.size)}; give two numbers, such as [2, 2]`;
  }
  const field = /^Conv3D/.test(className) ? "kernelSize" : /Pooling3D$/.test(className) ? "poolSize" : undefined;
  if (field !== undefined && config.padding === "same") {
    const [sizes, strides] = [config[field] ?? 2, config.strides ?? 1].map((value) => numbersOf(value, 3));
    if (strides.some((stride, axis) => stride > sizes[axis])) {
      return `with padding: "same" tfjs misplaces strides longer than its ${field}; use "valid", or a ${field} of at least the strides`;
    }
  }
  return undefined;
}

/** The setting with the share of elements that a layer drops. */
const RATES: Record<string, string> = { Dropout: "rate", SpatialDropout1D: "rate", SelfAttention: "dropout" };

/** tfjs takes any rate: it drops nothing if the rate is missing or 1, and treats rates above 1 as 1. */
function refusalOfRate(className: string, config: Record<string, unknown>): string | undefined {
  const field = Object.hasOwn(RATES, className) ? RATES[className] : undefined;
  if (field === undefined || (field === "dropout" && config.dropout === undefined)) return undefined;
  const rate = config[field];
  if (typeof rate === "number" && rate >= 0 && rate < 1) return undefined;
  return `its ${field} is ${isSet(rate) ? JSON.stringify(rate) : "missing"}; give the share to drop, at least 0 and less than 1`;
}

/** One number for all axes is repeated `times`. */
function numbersOf(value: unknown, times = 1): number[] {
  return (Array.isArray(value) ? value : new Array<unknown>(times).fill(value)).map(Number);
}

const isSet = (value: unknown): boolean => value !== undefined && value !== null && value !== false;

function camelCased(config: Readonly<Record<string, unknown>>): Record<string, unknown> {
  const camel = (key: string): string => key.replace(/_([a-z])/g, (_, letter: string) => letter.toUpperCase());
  return Object.fromEntries(Object.entries(config).map(([key, value]) => [camel(key), value]));
}
