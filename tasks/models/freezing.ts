/**
 * What is not trained: the layers that match a pattern of the task's `freeze`, and those that the model's author froze
 * with tfjs's `trainable`. tfjs's JSON loses the latter for a model inside a model, for a Bidirectional and for a layer in
 * a TimeDistributed, and it ignores the former there; so both are written to every layer inside of what is frozen.
 */
import { invalid } from "../../shared/errors.js";
import { matchesPattern } from "../task.js";
import type { Layer, LayersModel, LayerVariable } from "./capture-weights.js";
import { isLayer, layersByPath, layersInside, weightsByPath } from "./layer-paths.js";
import { layerTable } from "./layer-table.js";
import { type TopologyNode, walk } from "./topology.js";

/**
 * Marks the layers that match a pattern as not trained. A pattern matches a layer of the model by its name, or a layer
 * of a model inside it by the names of both, joined by "/".
 * @returns the paths of what is frozen.
 * @throws if a pattern matches no layer.
 */
export function freezeLayers(topology: TopologyNode, freeze: readonly string[]): string[] {
  const frozen: string[] = [];
  for (const pattern of freeze) {
    const matching = [...layersMatching(topology, pattern)];
    if (matching.length === 0) {
      invalid(
        `freeze has the pattern "${pattern}", which matches no layer; the layers are ` +
          `${[...namedLayers(topology)].map(([path]) => path).join(", ")}.`,
      );
    }
    for (const [path, node] of matching) {
      freezeNode(node);
      frozen.push(path);
    }
  }
  return frozen;
}

type NamedNode = readonly [path: string, node: TopologyNode];

/** Every layer of the model and of the models in it, by its path. */
function* namedLayers(container: TopologyNode, prefix = ""): Generator<NamedNode> {
  for (const node of container.config.layers ?? []) {
    const path = prefix + (node.config.name ?? "");
    yield [path, node];
    yield* namedLayers(node, `${path}/`);
  }
}

function* layersMatching(container: TopologyNode, pattern: string, prefix = ""): Generator<NamedNode> {
  for (const node of container.config.layers ?? []) {
    const name = node.config.name ?? "";
    if (matchesPattern(name, pattern)) {
      yield [prefix + name, node];
      continue;
    }
    // Any "/" of the pattern may be the one between this layer's name and those inside.
    for (let at = pattern.indexOf("/"); at >= 0; at = pattern.indexOf("/", at + 1)) {
      if (!matchesPattern(name, pattern.slice(0, at))) continue;
      yield* layersMatching(node, pattern.slice(at + 1), `${prefix}${name}/`);
    }
  }
}

function freezeNode(node: TopologyNode): void {
  walk(node, ({ class_name, config }) => {
    if (Object.hasOwn(layerTable, class_name)) config.trainable = false;
  });
}

/**
 * Marks in a model's topology what its author froze.
 * @param model whose topology it is.
 * @returns the paths of what is frozen.
 */
export function carryFrozen(model: LayersModel, topology: TopologyNode): string[] {
  const trained = new Set<LayerVariable>(model.trainableWeights);
  const frozen: string[] = [];
  const visit = (container: Layer, { config }: TopologyNode, prefix: string): void => {
    // The list of layers in a topology has the model's order.
    for (const [i, layer] of (layersInside(container) ?? []).entries()) {
      const node = config.layers![i];
      const path = prefix + node.config.name;
      if (isFrozen(layer, trained)) {
        freezeNode(node);
        frozen.push(path);
      } else visit(layer, node, `${path}/`);
    }
  };
  if (model.trainable === false) freezeNode(topology);
  visit(model, topology, "");
  return frozen;
}

function isFrozen(layer: Layer, trained: ReadonlySet<LayerVariable>): boolean {
  if (layer.trainable === false) return true;
  // A wrapper asks the layer inside for its flag, and forgets the one that it was made with.
  const { layer: wrapped, trainable_: own } = layer as Layer & { layer?: unknown; trainable_?: boolean };
  if (isLayer(wrapped) && own === false) return true;
  // Flags of cells and of single weights; and the weights of a frozen model, whose layers don't have its flag.
  const weights = weightsOf(layer);
  return weights.length > 0 && !weights.some((weight) => trained.has(weight));
}

/** The weights of a layer, and of those inside it, that can be trained. */
function weightsOf(layer: Layer): LayerVariable[] {
  const all = [layer, ...[...layersByPath(layer)].map((inner) => inner.layer)];
  return all.flatMap((one) => (one as unknown as { _trainableWeights: LayerVariable[] })._trainableWeights);
}

/**
 * Checks that the model of a topology trains exactly what its source does, minus what is frozen.
 * @param nameOf turns the source's layer names into the topology's.
 */
export function checkTrained(
  source: LayersModel,
  model: LayersModel,
  frozen: readonly string[],
  nameOf: (name: string) => string,
): void {
  const trainedOf = (of: LayersModel, name?: (name: string) => string): Set<string> => {
    const trained = new Set<LayerVariable>(of.trainableWeights);
    return new Set(weightsByPath(of, name).flatMap(({ path, weight }) => (trained.has(weight) ? [path] : [])));
  };
  const isUnderFrozen = (path: string): boolean => frozen.some((layer) => path.startsWith(`${layer}/`));
  const asked = trainedOf(source, nameOf);
  const trained = trainedOf(model);
  for (const { path } of weightsByPath(model)) {
    const wanted = asked.has(path) && !isUnderFrozen(path);
    if (wanted === trained.has(path)) continue;
    const layer = path.slice(0, path.lastIndexOf("/"));
    invalid(
      `Weight ${path} would ${wanted ? "not " : ""}be trained, which is not what the model says: a layer's weights are frozen ` +
        `all together or not at all; set trainable of the whole layer "${layer}".`,
    );
  }
}
