import type * as core from "@tensorflow/tfjs-core";
import type * as tfjsLayers from "@tensorflow/tfjs-layers";
import {
  ClassToken,
  FirstPosition,
  GroupNormalization,
  PositionEmbedding,
  SelfAttention,
  TokenEmbedding,
} from "../tasks/models/layers/index.js";

/**
 * Small models that hold every layer of tfjs in the configurations that change its arithmetic. Each is built twice
 * from here: on the backend under test, and in float64, where finite differences tell what its gradients are.
 */

type Layers = typeof tfjsLayers;
type Input = tfjsLayers.SymbolicTensor;
type Layer = { apply(inputs: Input | Input[]): unknown };

export interface LayerCase {
  className: string;
  /** What is special about it, in a few words. */
  variant: string;
  /** Shapes of the inputs, without the batch. */
  shapes: number[][];
  /** Inputs are integers in [0, tokens) instead of real numbers; they have no gradient. */
  tokens?: number;
  build(tf: Layers, inputs: Input[]): Input;
}

const PLANE = [5, 6, 3];
const SEQUENCE = [4, 3];

/** A single layer between the input and the output. */
function alone(
  className: string,
  variant: string,
  shapes: number[][] | number[],
  layer: (layers: Layers["layers"]) => unknown,
): LayerCase {
  const all = (Array.isArray(shapes[0]) ? shapes : [shapes]) as number[][];
  return {
    className,
    variant,
    shapes: all,
    build: (tf, inputs) => (layer(tf.layers) as Layer).apply(all.length === 1 ? inputs[0] : inputs) as Input,
  };
}

const activations: string[] = [
  ...["elu", "selu", "relu", "relu6", "linear", "sigmoid", "hardSigmoid", "softplus", "softsign", "tanh"],
  ...["softmax", "logSoftmax", "gelu", "gelu_new", "mish", "swish"],
];

const convolutions: LayerCase[] = [
  alone("Conv1D", "stride 2, same", [7, 3], (l) =>
    l.conv1d({ filters: 4, kernelSize: 3, strides: 2, padding: "same" }),
  ),
  alone("Conv1D", "dilated, tanh", [7, 3], (l) =>
    l.conv1d({ filters: 4, kernelSize: 3, dilationRate: 2, activation: "tanh" }),
  ),
  alone("Conv2D", "linear", PLANE, (l) => l.conv2d({ filters: 4, kernelSize: 3 })),
  alone("Conv2D", "relu, strides, same", PLANE, (l) =>
    l.conv2d({ filters: 4, kernelSize: [3, 2], strides: [2, 1], padding: "same", activation: "relu" }),
  ),
  alone("Conv2D", "no bias, tanh, channels first", PLANE, (l) =>
    l.conv2d({ filters: 4, kernelSize: 2, useBias: false, activation: "tanh", dataFormat: "channelsFirst" }),
  ),
  alone("Conv2D", "dilated, linear", PLANE, (l) =>
    l.conv2d({ filters: 4, kernelSize: 2, dilationRate: [2, 3], padding: "same" }),
  ),
  alone("Conv2D", "dilated, relu, channels first", PLANE, (l) =>
    l.conv2d({ filters: 4, kernelSize: 2, dilationRate: 2, activation: "relu", dataFormat: "channelsFirst" }),
  ),
  alone("Conv3D", "strides, same", [3, 4, 4, 2], (l) =>
    l.conv3d({ filters: 3, kernelSize: 2, strides: 2, padding: "same", activation: "tanh" }),
  ),
  alone("Conv3D", "valid", [3, 4, 4, 2], (l) => l.conv3d({ filters: 3, kernelSize: [2, 3, 2] })),
  alone("Conv2DTranspose", "stride 2, same", [3, 4, 3], (l) =>
    l.conv2dTranspose({ filters: 4, kernelSize: 3, strides: 2, padding: "same", activation: "tanh" }),
  ),
  alone("Conv2DTranspose", "valid", [3, 4, 3], (l) => l.conv2dTranspose({ filters: 4, kernelSize: [2, 3] })),
  alone("Conv3DTranspose", "stride 2", [2, 3, 2, 2], (l) =>
    l.conv3dTranspose({ filters: 3, kernelSize: 2, strides: 2, padding: "same" }),
  ),
  alone("SeparableConv2D", "multiplier 2, relu", PLANE, (l) =>
    l.separableConv2d({ filters: 4, kernelSize: 3, depthMultiplier: 2, activation: "relu" }),
  ),
  alone("SeparableConv2D", "stride 2, same", PLANE, (l) =>
    l.separableConv2d({ filters: 4, kernelSize: 3, strides: 2, padding: "same" }),
  ),
  alone("SeparableConv2D", "dilated", PLANE, (l) => l.separableConv2d({ filters: 4, kernelSize: 2, dilationRate: 2 })),
  alone("DepthwiseConv2D", "multiplier 2, stride 2, same", PLANE, (l) =>
    l.depthwiseConv2d({ kernelSize: 3, depthMultiplier: 2, strides: 2, padding: "same" }),
  ),
  alone("DepthwiseConv2D", "dilated", PLANE, (l) => l.depthwiseConv2d({ kernelSize: 2, dilationRate: 2 })),
  alone("ConvLSTM2D", "last output", [3, 4, 4, 2], (l) =>
    l.convLstm2d({ filters: 2, kernelSize: 2, recurrentInitializer: "glorotUniform" }),
  ),
  alone("ConvLSTM2D", "all outputs", [3, 4, 4, 2], (l) =>
    l.convLstm2d({
      filters: 2,
      kernelSize: 3,
      padding: "same",
      returnSequences: true,
      recurrentInitializer: "glorotUniform",
    }),
  ),
  alone("ConvLSTM2DCell", "within ConvLSTM2D", [3, 4, 3, 2], (l) =>
    l.convLstm2d({ filters: 1, kernelSize: 2, goBackwards: true, recurrentInitializer: "glorotUniform" }),
  ),
];

const planes: LayerCase[] = [
  alone("Cropping2D", "uneven", PLANE, (l) =>
    l.cropping2D({
      cropping: [
        [1, 0],
        [2, 1],
      ],
    }),
  ),
  alone("ZeroPadding2D", "uneven", PLANE, (l) =>
    l.zeroPadding2d({
      padding: [
        [1, 0],
        [2, 1],
      ],
    }),
  ),
  alone("UpSampling2D", "nearest", PLANE, (l) => l.upSampling2d({ size: [2, 3] })),
  alone("UpSampling2D", "bilinear", PLANE, (l) => l.upSampling2d({ size: [2, 3], interpolation: "bilinear" })),
  alone("UpSampling2D", "nearest, channels first", PLANE, (l) => l.upSampling2d({ dataFormat: "channelsFirst" })),
  alone("MaxPooling1D", "same", [7, 3], (l) => l.maxPooling1d({ poolSize: 3, strides: 2, padding: "same" })),
  alone("AveragePooling1D", "same", [7, 3], (l) => l.averagePooling1d({ poolSize: 3, strides: 2, padding: "same" })),
  alone("MaxPooling2D", "overlapping, same", PLANE, (l) =>
    l.maxPooling2d({ poolSize: 3, strides: 2, padding: "same" }),
  ),
  alone("MaxPooling2D", "channels first", PLANE, (l) => l.maxPooling2d({ dataFormat: "channelsFirst" })),
  alone("AveragePooling2D", "overlapping, same", PLANE, (l) =>
    l.averagePooling2d({ poolSize: 3, strides: 2, padding: "same" }),
  ),
  alone("MaxPooling3D", "same", [3, 4, 5, 2], (l) => l.maxPooling3d({ poolSize: 2, padding: "same" })),
  alone("AveragePooling3D", "same", [3, 4, 5, 2], (l) => l.averagePooling3d({ poolSize: 2, padding: "same" })),
  alone("GlobalAveragePooling1D", "", SEQUENCE, (l) => l.globalAveragePooling1d({})),
  alone("GlobalMaxPooling1D", "", SEQUENCE, (l) => l.globalMaxPooling1d({})),
  alone("GlobalAveragePooling2D", "", PLANE, (l) => l.globalAveragePooling2d({ dataFormat: "channelsLast" })),
  alone("GlobalMaxPooling2D", "channels first", PLANE, (l) => l.globalMaxPooling2d({ dataFormat: "channelsFirst" })),
  alone("BatchNormalization", "of features", [4], (l) => l.batchNormalization({})),
  alone("BatchNormalization", "of planes, no scale", PLANE, (l) => l.batchNormalization({ scale: false })),
  alone("BatchNormalization", "of sequences, no centre", SEQUENCE, (l) => l.batchNormalization({ center: false })),
  alone("BatchNormalization", "of planes, second axis", PLANE, (l) => l.batchNormalization({ axis: 1 })),
  alone("BatchNormalization", "of volumes", [2, 3, 2, 3], (l) => l.batchNormalization({})),
  alone("LayerNormalization", "last axis", SEQUENCE, (l) => l.layerNormalization({})),
  alone("LayerNormalization", "no beta", SEQUENCE, (l) => l.layerNormalization({ center: false })),
  alone("LayerNormalization", "no gamma, first axis", SEQUENCE, (l) => l.layerNormalization({ axis: 1, scale: false })),
  alone("LayerNormalization", "two axes", PLANE, (l) => l.layerNormalization({ axis: [2, 3] })),
];

const plain: LayerCase[] = [
  alone("InputLayer", "", [3], (l) => l.dense({ units: 2 })),
  alone("Dense", "of features", [5], (l) => l.dense({ units: 4, activation: "relu" })),
  alone("Dense", "of sequences, no bias", SEQUENCE, (l) => l.dense({ units: 4, useBias: false })),
  ...activations.map((name) => alone("Activation", name, [6], (l) => l.activation({ activation: name as "relu" }))),
  ...["elu", "linear", "relu6", "sigmoid"].map((name) =>
    alone("Dense", name, [6], (l) => l.dense({ units: 3, activation: name as "relu" })),
  ),
  alone("Activation", "softmax of sequences", SEQUENCE, (l) => l.activation({ activation: "softmax" })),
  alone("ReLU", "capped", [6], (l) => l.reLU({ maxValue: 0.5 })),
  alone("LeakyReLU", "", [6], (l) => l.leakyReLU({ alpha: 0.2 })),
  alone("PReLU", "", PLANE, (l) => l.prelu({})),
  alone("PReLU", "shared axes", PLANE, (l) => l.prelu({ sharedAxes: [1, 2] })),
  alone("ELU", "", [6], (l) => l.elu({})),
  alone("ThresholdedReLU", "", [6], (l) => l.thresholdedReLU({ theta: 0.3 })),
  alone("Softmax", "last axis", SEQUENCE, (l) => l.softmax({})),
  alone("Softmax", "other axis", SEQUENCE, (l) => l.softmax({ axis: 1 })),
  alone("Dropout", "seeded", [40], (l) => l.dropout({ rate: 0.4, seed: 7 })),
  alone("SpatialDropout1D", "seeded", [4, 30], (l) => {
    const layer = l.spatialDropout1d({ rate: 0.4 });
    // The declared configuration omits the seed, which the class takes as Dropout does.
    (layer as unknown as { seed: number }).seed = 7;
    return layer;
  }),
  alone("Flatten", "", PLANE, (l) => l.flatten()),
  alone("Flatten", "channels first", PLANE, (l) => l.flatten({ dataFormat: "channelsFirst" })),
  alone("Reshape", "", [12], (l) => l.reshape({ targetShape: [3, 4] })),
  alone("Permute", "", PLANE, (l) => l.permute({ dims: [3, 1, 2] })),
  alone("RepeatVector", "", [4], (l) => l.repeatVector({ n: 3 })),
  alone("Rescaling", "", [4], (l) => l.rescaling({ scale: 0.3, offset: 2 })),
  alone("Add", "three", [[4], [4], [4]], (l) => l.add()),
  alone("Add", "broadcast", [[3, 4], [4]], (l) => l.add()),
  alone("Multiply", "three", [[4], [4], [4]], (l) => l.multiply()),
  alone("Average", "", [[4], [4]], (l) => l.average()),
  alone("Maximum", "", [[4], [4]], (l) => l.maximum()),
  alone("Minimum", "", [[4], [4]], (l) => l.minimum()),
  alone("Concatenate", "last axis", [SEQUENCE, SEQUENCE], (l) => l.concatenate()),
  alone("Concatenate", "first axis", [SEQUENCE, SEQUENCE], (l) => l.concatenate({ axis: 1 })),
  alone("Dot", "of features", [[4], [4]], (l) => l.dot({ axes: -1 })),
  alone(
    "Dot",
    "of sequences",
    [
      [3, 4],
      [5, 4],
    ],
    (l) => l.dot({ axes: 2 }),
  ),
  alone("Dot", "normalized", [[4], [4]], (l) => l.dot({ axes: -1, normalize: true })),
  {
    className: "Embedding",
    variant: "repeated tokens",
    shapes: [[6]],
    tokens: 4,
    build: (tf, [x]) => tf.layers.embedding({ inputDim: 4, outputDim: 3 }).apply(x) as Input,
  },
  {
    className: "Embedding",
    variant: "masked zeros, summed up by an LSTM",
    shapes: [[6]],
    tokens: 3,
    build: (tf, [x]) => {
      const embedded = tf.layers.embedding({ inputDim: 3, outputDim: 3, maskZero: true }).apply(x);
      return tf.layers.lstm({ units: 2, recurrentInitializer: "glorotUniform" }).apply(embedded) as Input;
    },
  },
  {
    className: "CategoryEncoding",
    variant: "before a dense layer",
    shapes: [[3]],
    tokens: 4,
    build: (tf, [x]) => {
      const encoded = tf.layers.categoryEncoding({ numTokens: 4, outputMode: "multiHot" }).apply(x);
      return tf.layers.dense({ units: 3 }).apply(encoded) as Input;
    },
  },
];

const glorot = { recurrentInitializer: "glorotUniform" as const };
const cells = {
  SimpleRNNCell: (l: Layers["layers"]) => l.simpleRNNCell({ units: 3, ...glorot }),
  GRUCell: (l: Layers["layers"]) => l.gruCell({ units: 3, recurrentActivation: "sigmoid", ...glorot }),
  LSTMCell: (l: Layers["layers"]) => l.lstmCell({ units: 3, ...glorot }),
};

const recurrent: LayerCase[] = [
  ...Object.entries(cells).map(([className, cell]) =>
    alone(className, "in a recurrent layer", SEQUENCE, (l) => l.rnn({ cell: cell(l), returnSequences: true })),
  ),
  alone("RNN", "unrolled", SEQUENCE, (l) => l.rnn({ cell: cells.GRUCell(l), unroll: true })),
  alone("StackedRNNCells", "", SEQUENCE, (l) => l.rnn({ cell: [cells.LSTMCell(l), cells.GRUCell(l)] })),
  alone("SimpleRNN", "relu", SEQUENCE, (l) => l.simpleRNN({ units: 3, activation: "relu", ...glorot })),
  alone("SimpleRNN", "backwards, all outputs", SEQUENCE, (l) =>
    l.simpleRNN({ units: 3, goBackwards: true, returnSequences: true, ...glorot }),
  ),
  alone("GRU", "", SEQUENCE, (l) => l.gru({ units: 3, ...glorot })),
  alone("GRU", "no bias, all outputs", SEQUENCE, (l) =>
    l.gru({ units: 3, useBias: false, returnSequences: true, ...glorot }),
  ),
  alone("LSTM", "", SEQUENCE, (l) => l.lstm({ units: 3, ...glorot })),
  alone("LSTM", "all outputs, no forget bias", SEQUENCE, (l) =>
    l.lstm({ units: 3, returnSequences: true, unitForgetBias: false, ...glorot }),
  ),
  {
    className: "Masking",
    variant: "before an LSTM",
    shapes: [SEQUENCE],
    build: (tf, [x]) => {
      // A rectified step of zeros is masked.
      const rectified = tf.layers.reLU({}).apply(x);
      const masked = tf.layers.masking({ maskValue: 0 }).apply(rectified);
      return tf.layers.lstm({ units: 3, ...glorot }).apply(masked) as Input;
    },
  },
  alone("TimeDistributed", "dense", SEQUENCE, (l) => l.timeDistributed({ layer: l.dense({ units: 2 }) })),
  alone("TimeDistributed", "convolution", [3, 4, 4, 2], (l) =>
    l.timeDistributed({ layer: l.conv2d({ filters: 2, kernelSize: 2, activation: "tanh" }) }),
  ),
  ...(["concat", "sum", "mul", "ave"] as const).map((mergeMode) =>
    alone("Bidirectional", mergeMode, SEQUENCE, (l) =>
      l.bidirectional({ layer: l.lstm({ units: 2, returnSequences: true, ...glorot }) as never, mergeMode }),
    ),
  ),
  alone("Bidirectional", "last output", SEQUENCE, (l) =>
    l.bidirectional({ layer: l.gru({ units: 2, ...glorot }) as never, mergeMode: "concat" }),
  ),
];

const models: LayerCase[] = [
  {
    className: "Sequential",
    variant: "nested",
    shapes: [[5]],
    build: (tf, [x]) => {
      const { dense, batchNormalization } = tf.layers;
      const inner = tf.sequential({
        layers: [dense({ units: 4, activation: "tanh", inputShape: [5] }), batchNormalization()],
      });
      return tf.layers.dense({ units: 2 }).apply(inner.apply(x) as Input) as Input;
    },
  },
  ...["Functional", "Model"].map(
    (className): LayerCase => ({
      className,
      variant: "nested, called twice",
      shapes: [[4], [4]],
      build: (tf, [x, y]) => {
        const input = tf.input({ shape: [4] });
        const dense = tf.layers.dense({ units: 3, activation: "sigmoid" });
        const inner = tf.model({ inputs: input, outputs: dense.apply(input) as Input });
        return tf.layers.add().apply([inner.apply(x) as Input, inner.apply(y) as Input]) as Input;
      },
    }),
  ),
];

const own: LayerCase[] = [
  alone(
    "SelfAttention",
    "causal, no bias",
    [5, 6],
    () => new SelfAttention({ heads: 3, causal: true, useBias: false }),
  ),
  alone("SelfAttention", "both ways", [4, 6], () => new SelfAttention({ heads: 2 })),
  {
    ...alone("TokenEmbedding", "at both ends", [5], () => undefined),
    tokens: 7,
    build: (_, [tokens]) => {
      const layer = new TokenEmbedding({ vocabulary: 7, width: 4 });
      return layer.apply(layer.apply(tokens)) as Input;
    },
  },
  alone("PositionEmbedding", "", SEQUENCE, () => new PositionEmbedding({})),
  alone("ClassToken", "", SEQUENCE, () => new ClassToken({})),
  alone("FirstPosition", "", SEQUENCE, () => new FirstPosition({})),
  alone("GroupNormalization", "one group", PLANE, () => new GroupNormalization({ groups: 1 })),
  alone("GroupNormalization", "two groups", [3, 4], () => new GroupNormalization({ groups: 2, epsilon: 1e-3 })),
];

export const layerCases: LayerCase[] = [...own, ...plain, ...planes, ...convolutions, ...recurrent, ...models];

/** A case's name in titles and messages. */
export const nameOf = ({ className, variant }: Pick<LayerCase, "className" | "variant">): string =>
  `${className} ${variant}`.trim();

export const BATCH = 2;

/** The case's model, freshly built. */
export function buildCase(tf: Layers, example: LayerCase): tfjsLayers.LayersModel {
  const inputs = example.shapes.map((shape) =>
    tf.input({ shape, dtype: example.tokens === undefined ? "float32" : "int32" }),
  );
  return tf.model({ inputs, outputs: example.build(tf, inputs) });
}

/** Σ weight · y over the model's output in training mode; `weights` fits y. */
export function weightedSum(
  tf: typeof core,
  model: tfjsLayers.LayersModel,
  inputs: core.Tensor[],
  weights: core.Tensor | undefined,
): { loss: core.Scalar; y: core.Tensor } {
  const y = model.apply(inputs.length === 1 ? inputs[0] : inputs, { training: true }) as core.Tensor;
  const loss = tf.sum(weights === undefined ? y : tf.mul(y, weights)) as core.Scalar;
  return { loss, y };
}
