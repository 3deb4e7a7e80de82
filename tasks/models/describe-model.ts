import type { ModelSpec } from "../task.js";
import type { TopologyNode } from "./topology.js";

export interface ModelDescription {
  /** A built-in model's name; of the others `sequential`, or `functional` where the layers form a graph. */
  readonly kind: string;
  /** Layers of the model and of models inside it; inputs don't count. */
  readonly layers: number;
}

/** What a model is in two words. @param topology its JSON */
export function describeModel(model: ModelSpec, topology: string): ModelDescription {
  const root = JSON.parse(topology) as TopologyNode;
  const ownKind = model.kind === "module" || model.kind === "sequential";
  const kind = !ownKind ? model.kind : root.class_name === "Sequential" ? "sequential" : "functional";
  return { kind, layers: countLayers(root) };
}

function countLayers({ class_name: name, config }: TopologyNode): number {
  if (config.layers !== undefined) return config.layers.reduce((sum, layer) => sum + countLayers(layer), 0);
  return name === "InputLayer" ? 0 : 1;
}
