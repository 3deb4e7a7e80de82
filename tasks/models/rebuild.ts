import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import { allLayers } from "./all-layers.js";
import { type Captured, captureWeights, type Layer } from "./capture-weights.js";
import { layersInside } from "./layer-paths.js";
import { onCpu, tensorflow as tf } from "./tensorflow.js";
// Registers our own layers before a topology names one.
import "./layers/index.js";
import { TOPOLOGY_LIMITS, type TopologyLimits, validateTopology } from "./validate-topology.js";

/** Builds the model of a topology's text, after all checks, with every weight zero, on tfjs's cpu backend. */
export async function rebuild(text: string, limits: TopologyLimits = TOPOLOGY_LIMITS): Promise<Captured> {
  const topology = validateTopology(text, limits);
  let captured: Captured;
  try {
    captured = await onCpu(() =>
      captureWeights(() => tf.models.modelFromJSON(topology as never), limits.parametersMax),
    );
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    return invalid(`The model can't be built: ${messageOf(error)}`, { cause: error });
  }
  const { model } = captured;
  if (!(model instanceof tf.LayersModel)) return invalid("The topology does not make a LayersModel.");
  if (model.inputs.length !== 1 || model.outputs.length !== 1) {
    invalid(
      `The model has ${model.inputs.length} inputs and ${model.outputs.length} outputs; it must have one of each, ` +
        "so join them inside the model.",
    );
  }
  for (const layer of allLayers(model)) {
    // A model's outputs are those of its layers.
    const shapes = layersInside(layer) === undefined ? outputShapes(layer) : [];
    for (const shape of shapes) {
      const elements = shape.slice(1).reduce<number>((product, size) => product * (size ?? 1), 1);
      if (!(elements >= 1 && elements <= limits.outputMax)) {
        invalid(`Layer "${layer.name}" outputs ${elements} numbers per sample; it must be 1 to ${limits.outputMax}.`);
      }
    }
  }
  return captured;
}

/** The output shapes of every call of a layer, which may differ. */
function outputShapes(layer: Layer): (number | null)[][] {
  return layer.inboundNodes.flatMap((node) => node.outputShapes as (number | null)[][]);
}
