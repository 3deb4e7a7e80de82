/**
 * Names by which any tfjs finds the weights. `loadLayersModel` looks weights up by tfjs's own names, in which a layer of a
 * nested model has its name and not its path. So a model with two nested models that have layers of the same name can't
 * be loaded. Such layers are renamed for the export.
 */
import { invalid } from "../../shared/errors.js";
import { weightNames } from "./capture-weights.js";
import { weightsByPath } from "./layer-paths.js";
import { rebuild } from "./rebuild.js";
import type { TopologyNode } from "./topology.js";

export interface PlainModel {
  readonly topology: string;
  /** tfjs's own name, in this topology's model, of the weight with this name in the layout. */
  readonly nameOf: (name: string) => string;
}

/** @returns the topology itself if tfjs can tell all weights apart. */
export async function plainNames(topology: string): Promise<PlainModel> {
  const renamed = JSON.parse(topology) as TopologyNode;
  if (!renameRepeated(renamed)) return { topology, nameOf: (name) => name };
  const text = JSON.stringify(renamed);
  const [{ model: before }, { model: after }] = [await rebuild(topology), await rebuild(text)];
  const names = weightNames(before);
  // The same model except for names, so the order is the same.
  const renamedWeights = weightsByPath(after);
  const plain = new Map(
    weightsByPath(before).map(({ weight }, i) => [names.get(weight)!, renamedWeights[i].weight.originalName]),
  );
  before.dispose();
  after.dispose();
  if (new Set(plain.values()).size < plain.size) {
    invalid("The model has two weights that TensorFlow.js can't tell apart by name; export it as safetensors.");
  }
  return { topology: text, nameOf: (name) => plain.get(name)! };
}

/** Renames layers that have an earlier layer's name, in any of the models. @returns whether there were any. */
function renameRepeated(topology: TopologyNode): boolean {
  const all: string[] = [];
  const collect = ({ config }: TopologyNode): void => {
    for (const layer of config.layers ?? []) {
      all.push(layer.config.name ?? "");
      collect(layer);
    }
  };
  collect(topology);
  const originalNames = new Set(all);
  if (originalNames.size === all.length) return false;
  const taken = new Set<string>();
  const visit = ({ config }: TopologyNode): void => {
    const names = new Map<string, string>();
    for (const layer of config.layers ?? []) {
      const name = layer.config.name ?? "";
      let newName = name;
      for (let k = 2; taken.has(newName) || (newName !== name && originalNames.has(newName)); k++)
        newName = `${name}_${k}`;
      taken.add(newName);
      names.set(name, newName);
      layer.config.name = newName;
      if (layer.name !== undefined) layer.name = newName;
      visit(layer);
    }
    // [layer, call, output, …]
    const rename = (reference: unknown[]): void => {
      reference[0] = names.get(reference[0] as string) ?? reference[0];
    };
    for (const layer of config.layers ?? []) {
      for (const call of (layer.inbound_nodes as unknown[][][] | undefined) ?? []) call.forEach(rename);
    }
    for (const field of ["input_layers", "output_layers"]) {
      for (const reference of (config[field] as unknown[][] | undefined) ?? []) rename(reference);
    }
  };
  visit(topology);
  return true;
}
