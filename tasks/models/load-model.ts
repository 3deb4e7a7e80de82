import { IsobatchError } from "../../shared/errors.js";
import type { Layout } from "../../shared/layout/index.js";
import { type LayersModel, type LayerVariable, weightNames } from "./capture-weights.js";
import { rebuild } from "./rebuild.js";
import { TOPOLOGY_LIMITS, type TopologyLimits } from "./validate-topology.js";

export interface LoadedModel {
  /** The model; every weight is zero until it is set. */
  readonly model: LayersModel;
  /** The model's variable of each tensor of the layout, by the tensor's name. */
  readonly tensors: ReadonlyMap<string, LayerVariable>;
}

/** Builds the model of a topology that came over the network, after checking it, and matches it with the layout. */
export async function loadModel(
  topology: string,
  layout: Layout,
  limits: TopologyLimits = TOPOLOGY_LIMITS,
): Promise<LoadedModel> {
  // The limit refuses a model with more parameters than the layout before it is built.
  const parametersMax = Math.min(limits.parametersMax, layout.length);
  const { model } = await rebuild(topology, { ...limits, parametersMax });
  const tensors = new Map([...weightNames(model)].map(([weight, name]) => [name, weight]));
  const trained = new Set(model.trainableWeights);
  const differ = (what: string): never => {
    throw new IsobatchError("damaged", `The model's topology and its layout differ: ${what}.`);
  };
  if (tensors.size !== layout.tensors.length) {
    return differ(`${tensors.size} weights, ${layout.tensors.length} tensors`);
  }
  for (const { name, shape, kind } of layout.tensors) {
    const weight = tensors.get(name);
    if (weight === undefined) return differ(`the topology has no weight ${name}`);
    if (weight.shape.join() !== shape.join()) {
      return differ(`${name} is [${weight.shape.join(", ")}] in one, [${shape.join(", ")}] in the other`);
    }
    if (trained.has(weight) !== (kind === "parameter")) return differ(`${name} is ${kind} in the layout only`);
  }
  return { model, tensors };
}
