import { fill, serialization, type Tensor, tidy } from "../../tfjs/core.js";
// Registers tfjs's layers.
import "../../tfjs/layers.js";

type Shape = (number | null)[];

interface Recurrent {
  readonly cell: { readonly stateSize: number | number[] };
}

interface ConvolutionalRecurrent extends Recurrent {
  computeSingleOutputShape(inputShape: Shape): Shape;
}

/**
 * Makes recurrent layers start from zeros that the backend fills in. tfjs makes a tensor of zeros of the input's shape in
 * JavaScript, and sums it to one zero per sample.
 */
export function repairInitialStates(): void {
  replace<Recurrent>("RNN", (_, [samples], size) => [samples, size]);
  replace<ConvolutionalRecurrent>("ConvLSTM2D", (layer, inputShape) => {
    const [samples, , ...image] = layer.computeSingleOutputShape(inputShape);
    return [samples, ...image];
  });
}

function replace<Layer extends Recurrent>(
  className: string,
  shapeOf: (layer: Layer, inputShape: Shape, size: number) => Shape,
): void {
  const [layer] = serialization.SerializationMap.getMap().classNameMap[className];
  const prototype = (layer as unknown as { prototype: { getInitialState(this: Layer, inputs: Tensor): Tensor[] } })
    .prototype;
  prototype.getInitialState = function (inputs) {
    const { stateSize } = this.cell;
    const sizes = Array.isArray(stateSize) ? stateSize : [stateSize];
    return tidy(() => sizes.map((size) => fill(shapeOf(this, inputs.shape, size) as number[], 0)));
  };
}
