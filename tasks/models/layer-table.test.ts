import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { layers } from "@tensorflow/tfjs-layers";
import { refusal } from "./layer-table.js";

describe("refusal()", () => {
  it("accepts a layer that can be trained, in tfjs's own configuration", () => {
    const trained = [
      layers.dense({ units: 2, kernelRegularizer: "l1l2" }),
      layers.lstm({ units: 2 }),
      layers.gru({ units: 2 }),
      layers.conv2d({ filters: 2, kernelSize: 3, dilationRate: 2, padding: "same" }),
      layers.convLstm2d({ filters: 2, kernelSize: 2 }),
      layers.conv3d({ filters: 2, kernelSize: 2, strides: 2, padding: "same" }),
      layers.maxPooling3d({ padding: "same" } as never),
      layers.upSampling2d({}),
      layers.dropout({ rate: 0.5 }),
      layers.spatialDropout1d({ rate: 0 }),
      layers.batchNormalization({ axis: 1, scale: false }),
      layers.embedding({ inputDim: 3, outputDim: 2, maskZero: true }),
    ];
    for (const layer of trained) assert.equal(refusal(layer.getClassName(), layer.getConfig()), undefined);
  });

  const refused: [className: string, config: Record<string, unknown>, reason: RegExp][] = [
    ["GaussianNoise", { stddev: 1 }, /takes no seed/],
    ["RandomWidth", { factor: 0.1 }, /order of the work/],
    ["LSTM", { units: 2, recurrent_dropout: 0.1 }, /randomness of its recurrentDropout takes no seed/],
    ["GRUCell", { units: 2, dropout: 0.1 }, /randomness of its dropout takes no seed/],
    ["ConvLSTM2D", { filters: 2, recurrentDropout: 0.1 }, /takes no seed/],
    ["Dropout", { rate: 20 }, /its rate is 20; give the share to drop, at least 0 and less than 1/],
    ["Dropout", { rate: 1 }, /its rate is 1; /],
    ["SpatialDropout1D", {}, /its rate is missing; /],
    ["SelfAttention", { heads: 1, dropout: 1 }, /its dropout is 1; /],
    ["SimpleRNN", { units: 2, stateful: true }, /stateful: true/],
    ["Dense", { units: 2, kernel_constraint: { class_name: "NonNeg", config: {} } }, /kernelConstraint would not be/],
    ["Embedding", { embeddingsConstraint: "maxNorm" }, /embeddingsConstraint would not be applied/],
    ["Dense", { units: 2, activity_regularizer: { class_name: "L1L2", config: {} } }, /activityRegularizer is ignored/],
    ["Conv1D", { filters: 2, padding: "causal" }, /no padding: "causal"/],
    ["Conv1D", { filters: 2, data_format: "channels_first" }, /channels last whatever its dataFormat/],
    ["Conv2D", { filters: 2, strides: [1, 2], dilation_rate: [2, 1] }, /can't both be larger than 1/],
    ["DepthwiseConv2D", { kernelSize: 2, strides: 2, dilationRate: 2 }, /can't both be larger than 1/],
    ["Conv2DTranspose", { filters: 2, kernelSize: 2, dilationRate: 2 }, /ignores its dilationRate/],
    ["UpSampling2D", { size: 2 }, /its size is 2; give two numbers/],
    ["Conv3DTranspose", { kernelSize: [1, 2, 3], strides: 2, padding: "same" }, /strides longer than its kernelSize/],
    ["MaxPooling3D", { poolSize: 2, strides: [2, 3, 2], padding: "same" }, /strides longer than its poolSize/],
    ["Lambda", {}, /not one of the layers that Isobatch knows/],
    ["constructor", {}, /not one of the layers that Isobatch knows/],
  ];
  for (const [className, config, reason] of refused) {
    it(`refuses ${className} with ${JSON.stringify(config)}, with the reason`, () => {
      assert.match(refusal(className, config) ?? "", reason);
    });
  }
});
