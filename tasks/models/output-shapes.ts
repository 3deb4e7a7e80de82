/**
 * Output shapes of layers that tfjs computes wrongly, or leaves unknown though they could be known. Models are built by
 * these shapes, on the server and on workers.
 */
import { core } from "../tfjs/core.js";
// Registers the layers.
import "../tfjs/layers.js";

type Shape = (number | null)[];
type ComputeOutputShape<Layer> = (this: Layer, inputShape: Shape) => Shape;

interface Depthwise {
  readonly kernelSize: readonly number[];
  readonly dilationRate: readonly number[];
}

interface Reshape {
  readonly targetShape: Shape;
  fixUnknownDimension(inputShape: Shape, targetShape: Shape): Shape;
}

/** Called once, before any model is built. */
export function repairOutputShapes(): void {
  // tfjs leaves the dilation out.
  replace<Depthwise>("DepthwiseConv2D", (original) => {
    return function (inputShape) {
      const kernelSize = this.kernelSize.map((size, axis) => (size - 1) * this.dilationRate[axis] + 1);
      return original.call(Object.create(this, { kernelSize: { value: kernelSize } }) as Depthwise, inputShape);
    };
  });
  // tfjs gives up on −1, since the number of samples is unknown.
  replace<Reshape>("Reshape", (original) => {
    return function (inputShape) {
      const [samples, ...sizes] = inputShape;
      if (sizes.includes(null)) return original.call(this, inputShape);
      return [samples, ...this.fixUnknownDimension(sizes, this.targetShape)];
    };
  });
}

function replace<Layer>(
  className: string,
  wrap: (original: ComputeOutputShape<Layer>) => ComputeOutputShape<Layer>,
): void {
  const [layer] = core.serialization.SerializationMap.getMap().classNameMap[className];
  const { prototype } = layer as unknown as { prototype: { computeOutputShape: ComputeOutputShape<Layer> } };
  prototype.computeOutputShape = wrap(prototype.computeOutputShape);
}
