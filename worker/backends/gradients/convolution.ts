import {
  Conv2D,
  Conv2DBackpropFilter,
  Conv2DBackpropInput,
  DepthwiseConv2dNative,
  DepthwiseConv2dNativeBackpropFilter,
  DepthwiseConv2dNativeBackpropInput,
  engine,
  type NamedTensorMap,
  registerGradient,
  type Tensor,
} from "@tensorflow/tfjs-core";

/**
 * The gradients of plain and depthwise 2-D convolutions, dilated ones too, which tfjs refuses: our kernels take the
 * dilation as an attribute.
 */
export function registerConvolutions(): void {
  register(Conv2D, Conv2DBackpropInput, Conv2DBackpropFilter);
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
