/**
 * Dilated convolutions. TensorFlow has their gradients only for some processors and libraries, and the package's
 * kernels leave the dilation out, which is either refused or silently wrong. A dilated filter is a filter with zeros
 * between its points, so here one is made: exact, on every device, at the price of multiplying the zeros too.
 */
import { core as tf } from "../../tasks/tfjs/core.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";

interface Attributes {
  readonly dilations?: number | number[] | null;
  readonly filterShape?: number[];
}
type Call = KernelCall<Record<string, TensorInfo>, Attributes>;

/** The forward kernels that need it, and all gradients; Conv2D itself is dilated everywhere. */
const WITH_FILTER = [
  tf.Conv3D,
  tf.DepthwiseConv2dNative,
  tf.Conv2DBackpropInput,
  tf.Conv3DBackpropInputV2,
  tf.DepthwiseConv2dNativeBackpropInput,
];
const OF_FILTER = [tf.Conv2DBackpropFilter, tf.Conv3DBackpropFilterV2, tf.DepthwiseConv2dNativeBackpropFilter];

export function registerDilation(): void {
  for (const name of WITH_FILTER) {
    replaceKernel("tensorflow", name, ({ inputs, attrs, backend }: Call, original) => {
      const dilations = dilationsOf(attrs, inputs.filter.shape);
      if (dilations === undefined)
        return original!({ inputs, attrs: plain(attrs), backend: backend as object }) as TensorInfo;
      const filter = tf.tidy(() => withZeros(inputs.filter as tf.Tensor, dilations));
      const result = original!({
        inputs: { ...inputs, filter },
        attrs: plain(attrs),
        backend: backend as object,
      });
      filter.dispose();
      return result as TensorInfo;
    });
  }
  for (const name of OF_FILTER) {
    replaceKernel("tensorflow", name, ({ inputs, attrs, backend }: Call, original) => {
      const shape = attrs.filterShape!;
      const dilations = dilationsOf(attrs, shape);
      if (dilations === undefined)
        return original!({ inputs, attrs: plain(attrs), backend: backend as object }) as TensorInfo;
      const filterShape = shape.map((size, axis) => (size - 1) * (dilations[axis] ?? 1) + 1);
      const whole = original!({
        inputs,
        attrs: plain({ ...attrs, filterShape }),
        backend: backend as object,
      });
      const strides = shape.map((_, axis) => dilations[axis] ?? 1);
      const points = tf.stridedSlice(
        whole as tf.Tensor,
        shape.map(() => 0),
        filterShape,
        strides,
      );
      (whole as tf.Tensor).dispose();
      return points;
    });
  }
}

/** The dilation of each spatial axis; undefined if there is none. */
function dilationsOf({ dilations }: Attributes, filterShape: readonly number[]): number[] | undefined {
  if (dilations == null) return undefined;
  const axes = filterShape.length - 2;
  const all = typeof dilations === "number" ? Array.from({ length: axes }, () => dilations) : dilations;
  return all.some((dilation) => dilation > 1) ? all : undefined;
}

/** The filter (…spatial, channels, filters) with dilation − 1 zeros between its points along each spatial axis. */
function withZeros(filter: tf.Tensor, dilations: readonly number[]): tf.Tensor {
  return dilations.reduce((dilated, dilation, axis) => {
    if (dilation === 1) return dilated;
    const { shape } = dilated;
    const [before, size, after] = [shape.slice(0, axis), shape[axis], shape.slice(axis + 1)];
    const apart = tf.reshape(dilated, [...before, size, 1, ...after]);
    const padded = tf.pad(
      apart,
      apart.shape.map((_, i) => [0, i === axis + 1 ? dilation - 1 : 0]),
    );
    const joined = tf.reshape(padded, [...before, size * dilation, ...after]);
    const length = (size - 1) * dilation + 1;
    return tf.slice(
      joined,
      shape.map(() => 0),
      [...before, length, ...after],
    );
  }, filter);
}

/** The package's gradients need the dilation that tfjs's layers leave out. */
const plain = (attrs: Attributes): tf.NamedAttrMap => ({ ...attrs, dilations: 1 }) as unknown as tf.NamedAttrMap;
