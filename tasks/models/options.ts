/**
 * Layer options that tfjs loses, in a model's JSON, in which every model travels, or as soon as a layer is made.
 */
import { core } from "../tfjs/core.js";
// Registers the layers.
import "../tfjs/layers.js";

interface LayerClass {
  readonly prototype: { getConfig(): Record<string, unknown> };
}

interface ConvolutionClass {
  verifyArgs(options: Record<string, unknown>): void;
}

const classOf = (className: string): unknown => core.serialization.SerializationMap.getMap().classNameMap[className][0];

/** Called once, before any model is built. */
export function repairOptions(): void {
  completeConfig<{ depthMultiplier: number }>("SeparableConv2D", ({ depthMultiplier }) => ({ depthMultiplier }));
  // tfjs writes the regulariser in this place. A constraint would not be applied, so a layer that has one is refused.
  completeConfig<{ depthwiseConstraint: core.serialization.Serializable | null }>("DepthwiseConv2D", (layer) => {
    const constraint = layer.depthwiseConstraint;
    const config = constraint && { className: constraint.getClassName(), config: constraint.getConfig() };
    return { depthwiseConstraint: config };
  });
  refuseDropped();
}

/** Adds what `complete` gives to the configuration that a layer writes to JSON. */
function completeConfig<Layer>(className: string, complete: (layer: Layer) => Record<string, unknown>): void {
  const { prototype } = classOf(className) as LayerClass;
  const { getConfig } = prototype;
  prototype.getConfig = function () {
    return { ...getConfig.call(this), ...complete(this as Layer) };
  };
}

/** DepthwiseConv2D takes what every convolution does, and silently drops three of these options. */
function refuseDropped(): void {
  const convolution = Object.getPrototypeOf(classOf("DepthwiseConv2D")) as ConvolutionClass;
  const { verifyArgs } = convolution;
  convolution.verifyArgs = (options) => {
    const dropped = ["kernelInitializer", "kernelRegularizer", "kernelConstraint"].find(
      (name) => options[name] != null,
    );
    // It is the only convolution without `filters`.
    if (dropped !== undefined && options.filters === undefined) {
      throw new Error(`DepthwiseConv2D ignores ${dropped}; give it ${dropped.replace("kernel", "depthwise")}`);
    }
    verifyArgs.call(convolution, options);
  };
}
