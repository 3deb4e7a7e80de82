import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  Conv3D,
  Conv3DBackpropFilterV2,
  Conv3DBackpropInputV2,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  engine,
  type NamedTensorMap,
  registerGradient,
  type Tensor,
} from "../../tasks/tfjs/core.js";

/**
 * The gradients of convolutions, including dilated ones, which tfjs refuses (our kernels take the dilation as an
 * attribute), and of the transposed convolution of volumes, for which tfjs has none.
 */
export function registerConvolutions(): void {
  register(Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter);
  register(Conv3D, Conv3DBackpropInputV2, Conv3DBackpropFilterV2);
  registerGradient({
    kernelName: Conv3DBackpropInputV2,
    inputsToSave: ["dy", "filter"],
    gradFunc: (anyGradient, [dy, filter], attrs) => {
      const gradient = anyGradient as Tensor;
      const forFilter = { ...attrs, filterShape: filter.shape };
      return {
        dy: () => engine().runKernel(Conv3D, { x: gradient, filter }, { ...attrs, dilations: 1 }) as Tensor,
        filter: () => engine().runKernel(Conv3DBackpropFilterV2, { x: gradient, dy }, forFilter) as Tensor,
      };
    },
  });
  register(DepthwiseConv2dNative, DepthwiseConv2dNativeBackpropInput, DepthwiseConv2dNativeBackpropFilter);
}

function register(kernelName: string, forInput: string, forFilter: string): void {
  registerGradient({
    kernelName,
    inputsToSave: ["x", "filter"],
    gradFunc: (anyDy, [x, filter], attrs) => {
      const dy = anyDy as Tensor;
      const run = (name: string, inputs: NamedTensorMap, shape: Record<string, number[]>): Tensor =>
        engine().runKernel(name, inputs, { ...attrs, ...shape }) as Tensor;
      return {
        x: () => run(forInput, { dy, filter }, { inputShape: x.shape }),
        filter: () => run(forFilter, { x, dy }, { filterShape: filter.shape }),
      };
    },
  });
}
