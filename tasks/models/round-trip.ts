/**
 * Whether the model that is trained is the one that was made. A model reaches the workers as JSON, in which tfjs writes
 * what each layer's `getConfig` lists, and that is not always all that the layer was made with. So the model that was
 * rebuilt from the JSON is compared with its source: the layers' settings, how they are connected, what they add to the
 * loss, and their outputs for the same inputs (`round-trip-outputs.ts`).
 */
import { isDeepStrictEqual } from "node:util";
import { invalid } from "../../shared/errors.js";
import type { Layer, LayersModel } from "./capture-weights.js";
import { isLayer, layersByPath, layersInside } from "./layer-paths.js";
import { onCpu } from "./tensorflow.js";
import { type TopologyNode, walk } from "./topology.js";

/**
 * Compares settings and connections.
 * @param source the model that was made; it may be of another copy of tfjs.
 * @param model what was rebuilt from its JSON.
 * @param topology that JSON.
 * @param nameOf turns the source's layer names into the topology's.
 * @throws on the first difference, naming the layer and the setting.
 */
export function checkSettings(
  source: LayersModel,
  model: LayersModel,
  topology: TopologyNode,
  nameOf: (name: string) => string,
): void {
  const rebuilt = new Map([...layersByPath(model)].map(({ path, layer }) => [path, layer]));
  for (const { path, layer } of layersByPath(source, nameOf)) {
    const other = rebuilt.get(path);
    if (other === undefined) return lost(path, layer, "the whole layer is lost");
    checkLayer(path, layer, other);
  }
  checkConnections(topology, JSON.parse(model.toJSON(null, true) as unknown as string) as TopologyNode);
}

/** Compares what the layers add to the loss, which is the regularisation of their weights; both hold the same. */
export function checkLosses(source: LayersModel, model: LayersModel, nameOf: (name: string) => string): void {
  const rebuilt = new Map([...layersByPath(model)].map(({ path, layer }) => [path, layer]));
  onCpu(() => {
    for (const { path, layer } of layersByPath(source, nameOf)) {
      const [before, after] = [lossesOf(layer), lossesOf(rebuilt.get(path)!)];
      if (isDeepStrictEqual(before, after)) continue;
      lost(path, layer, `it adds ${show(before)} to the loss, and then ${show(after)}`);
    }
  });
}

function lossesOf(layer: Layer): number[] {
  const { _losses } = layer as unknown as { _losses: (() => { dataSync(): Float32Array; dispose(): void })[] };
  return _losses.map((loss) => {
    const value = loss();
    const [number] = value.dataSync();
    value.dispose();
    return number;
  });
}

function lost(path: string, layer: Layer, what: string): never {
  return invalid(
    `Layer "${path}" (${layer.getClassName()}) can't be trained as it was made: ${what} when TensorFlow.js writes the model ` +
      "to JSON, the form in which workers get it; leave that out or use another layer, or, if the module has its own " +
      "TensorFlow.js, use the tf that its model function is given.",
  );
}

/** Fields that differ between two copies of a layer, and flags of freezing, which are checked by the weights. */
const UNCOMPARED = new Set([
  ...["id", "name", "_built", "_refCount", "fastWeightInitDuringBuild", "initialWeights", "trainable_", "_trainable"],
  // tfjs's own record of states; a layer that keeps them between calls is refused.
  ...["states_", "keptStates"],
]);

function checkLayer(path: string, layer: Layer, rebuilt: Layer): void {
  const [before, after] = [layer.getClassName(), rebuilt.getClassName()];
  if (before !== after) lost(path, layer, `it becomes a ${after}`);
  // A model's own fields follow from its layers.
  if (layersInside(layer) !== undefined) return;
  const [own, others] = [layer, rebuilt] as unknown as Record<string, unknown>[];
  for (const key of Object.keys(own)) {
    if (UNCOMPARED.has(key)) continue;
    const [was, is] = [settingOf(own[key]), settingOf(others[key])];
    if (typeof own[key] === "function" && !Object.hasOwn(others, key)) {
      return lost(path, layer, `its ${key} is custom code, which is lost`);
    }
    if (was === undefined || isDeepStrictEqual(was, is)) continue;
    lost(path, layer, `its ${key} is ${show(was)}, and becomes ${show(is)}`);
  }
}

/** A setting in a form that can be compared; undefined for what is not one: tensors, weights, other layers. */
function settingOf(value: unknown): unknown {
  if (value === undefined || value === null) return null;
  if (typeof value === "function") return "a function";
  if (typeof value !== "object") return value;
  if (Array.isArray(value)) {
    const items = value.map(settingOf);
    return items.includes(undefined) ? undefined : items;
  }
  if (isLayer(value)) return undefined;
  // Initialisers, regularisers, constraints and activations.
  const part = value as { getClassName?: () => string; getConfig?: () => Record<string, unknown> };
  if (typeof part.getClassName !== "function" || typeof part.getConfig !== "function") return undefined;
  const config = Object.entries(part.getConfig()).map(([key, setting]) => [key, settingOf(setting)]);
  return { [part.getClassName()]: Object.fromEntries(config) };
}

function show(setting: unknown): string {
  const text = JSON.stringify(setting) ?? "unknown";
  return text.length > 200 ? `${text.slice(0, 200)}…` : text;
}

/** Which layer feeds which, in the model and in the models inside of it. */
function checkConnections(topology: TopologyNode, rebuilt: TopologyNode): void {
  const connectionsOf = (model: TopologyNode): string[] => {
    const connections: string[] = [];
    walk(model, ({ config, name, inbound_nodes: calls }) => {
      if (calls !== undefined) connections.push(`${name} ← ${JSON.stringify(calls)}`);
      const { input_layers: inputs, output_layers: outputs } = config;
      if (inputs !== undefined) connections.push(`${config.name}: ${JSON.stringify([inputs, outputs])}`);
    });
    return connections.sort();
  };
  const [before, after] = [connectionsOf(topology), connectionsOf(rebuilt)];
  const i = before.findIndex((connection, n) => connection !== after[n]);
  if (i < 0 && before.length === after.length) return;
  invalid(
    "The model's layers are connected differently after TensorFlow.js has written the model to JSON, the form in which workers get " +
      `it: ${before[i]} becomes ${after[i]}; build the model from other layers.`,
  );
}
