import {
  add,
  concat,
  depthwiseConv2d,
  matMul,
  reshape,
  type Tensor,
  tensor,
  tidy,
  transpose,
} from "../../tfjs/core.js";
import { type Call, single, wrapCall } from "./wrap-call.js";

/** Settings for which tfjs's layers compute something wrong, or fail. Here they compute what Keras does. */
export function repairSettings(): void {
  wrapCall<Formatted>("SeparableConv2D", channelsLastInside);
  wrapCall<FormattedCell>("ConvLSTM2D", channelsLastOfCell);
  wrapCall<Depthwise>("DepthwiseConv2D", dilated);
  wrapCall<UpSampling>("UpSampling2D", interpolated);
  wrapCall<Concatenate>("Concatenate", alongAnyAxis);
}

interface Formatted {
  dataFormat: string;
}

/** tfjs adds the bias of channels along the height. */
function channelsLastInside(original: Call<Formatted>): Call<Formatted> {
  return function (inputs, options) {
    if (this.dataFormat !== "channelsFirst") return original.call(this, inputs, options);
    return tidy(() => {
      const y = withFormat([this], () => original.call(this, transpose(single(inputs), [0, 2, 3, 1]), options));
      return transpose(y, [0, 3, 1, 2]);
    });
  };
}

interface FormattedCell extends Formatted {
  readonly cell: Formatted;
}

/** No backend has the convolutions that tfjs asks for here. */
function channelsLastOfCell(original: Call<FormattedCell>): Call<FormattedCell> {
  const last = (x: Tensor): Tensor => transpose(x, x.rank === 5 ? [0, 1, 3, 4, 2] : [0, 2, 3, 1]);
  const first = (x: Tensor): Tensor => transpose(x, x.rank === 5 ? [0, 1, 4, 2, 3] : [0, 3, 1, 2]);
  return function (inputs, options) {
    const { cell } = this;
    if (cell.dataFormat !== "channelsFirst") return original.call(this, inputs, options);
    return tidy(() => {
      const states = options.initialState as Tensor[] | undefined;
      const inside = { ...options, initialState: states?.map(last) };
      const y: Tensor | Tensor[] = withFormat([this, cell], () => original.call(this, last(single(inputs)), inside));
      return (Array.isArray(y) ? y.map(first) : first(y)) as Tensor;
    });
  };
}

/** Runs `action` with the layer's channels last. */
function withFormat<T>(layers: Formatted[], action: () => T): T {
  const formats = layers.map(({ dataFormat }) => dataFormat);
  for (const layer of layers) layer.dataFormat = "channelsLast";
  try {
    return action();
  } finally {
    for (const [i, layer] of layers.entries()) layer.dataFormat = formats[i];
  }
}

interface Depthwise {
  readonly depthwiseKernel: { read(): Tensor };
  readonly bias: { read(): Tensor } | null;
  readonly strides: [number, number];
  readonly padding: "same" | "valid";
  readonly dilationRate: [number, number];
  readonly dataFormat: string;
  readonly activation: { apply(x: Tensor): Tensor } | null;
}

/** tfjs leaves the dilation out. */
function dilated(original: Call<Depthwise>): Call<Depthwise> {
  return function (inputs, options) {
    if (this.dilationRate.every((rate) => rate === 1)) return original.call(this, inputs, options);
    return tidy(() => {
      const first = this.dataFormat === "channelsFirst";
      const x = single(inputs);
      const image = (first ? transpose(x, [0, 2, 3, 1]) : x) as Parameters<typeof depthwiseConv2d>[0];
      const kernel = this.depthwiseKernel.read() as Parameters<typeof depthwiseConv2d>[1];
      const convolved: Tensor = depthwiseConv2d(image, kernel, this.strides, this.padding, "NHWC", this.dilationRate);
      const sum = this.bias === null ? convolved : add(convolved, this.bias.read());
      const y = first ? transpose(sum, [0, 3, 1, 2]) : sum;
      return this.activation === null ? y : this.activation.apply(y);
    });
  };
}

interface UpSampling {
  readonly size: [number, number];
  readonly interpolation: string;
  readonly dataFormat: string;
}

/**
 * tfjs measures from the points' corners, so that the image moves up and to the left; Keras from their centres. Along
 * each axis every new point is a mean of two old ones, so interpolating is a product with a matrix.
 */
function interpolated(original: Call<UpSampling>): Call<UpSampling> {
  return function (inputs, options) {
    if (this.interpolation !== "bilinear") return original.call(this, inputs, options);
    return tidy(() => {
      const first = this.dataFormat === "channelsFirst";
      const x = single(inputs);
      const image = first ? transpose(x, [0, 2, 3, 1]) : x;
      const [batch, height, width, channels] = image.shape;
      const [rows, columns] = [height * this.size[0], width * this.size[1]];
      const taller = matMul(between(height, this.size[0]), reshape(image, [batch, height, width * channels]));
      const wider = matMul(between(width, this.size[1]), reshape(taller, [batch * rows, width, channels]));
      const y = reshape(wider, [batch, rows, columns, channels]);
      return first ? transpose(y, [0, 3, 1, 2]) : y;
    });
  };
}

/** The matrix that makes `factor` points of each of `length`; shape [1, length · factor, length]. */
function between(length: number, factor: number): Tensor {
  const values = new Float32Array(length * factor * length);
  for (let to = 0; to < length * factor; to++) {
    const at = (to + 0.5) / factor - 0.5;
    const below = Math.floor(at);
    values[to * length + Math.max(below, 0)] += 1 - (at - below);
    values[to * length + Math.min(below + 1, length - 1)] += at - below;
  }
  return tensor(values, [1, length * factor, length]);
}

interface Concatenate {
  readonly axis: number;
}

/** tfjs treats any negative axis as the last one. */
function alongAnyAxis(original: Call<Concatenate>): Call<Concatenate> {
  return function (inputs, options) {
    if (!Array.isArray(inputs) || this.axis >= -1) return original.call(this, inputs, options);
    return tidy(() => concat(inputs, this.axis + inputs[0].rank));
  };
}
