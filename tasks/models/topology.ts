/**
 * A model's topology: the JSON that `LayersModel.toJSON` writes, without weights. It is the only form in which a
 * model travels, and names in it are the same in every process.
 */

/** A layer, or a model, in a topology. */
export interface TopologyNode {
  class_name: string;
  name?: string;
  config: { name?: string; trainable?: boolean; layers?: TopologyNode[] } & Record<string, unknown>;
  inbound_nodes?: unknown;
}

export interface NamedTopology {
  readonly topology: TopologyNode;
  /** The name in the topology of the model's layer with this name. */
  readonly nameOf: (name: string) => string;
}

/** The topology of any LayersModel, including one that another copy of tfjs made. */
export function topologyOf(model: { toJSON(unused?: unknown, returnString?: boolean): unknown }): NamedTopology {
  const topology: unknown = JSON.parse(model.toJSON(null, true) as string);
  return stableNames(topology as TopologyNode);
}

/**
 * Replaces the names that tfjs made up. They count up over the life of a process (`dense_Dense7`), so the same
 * code would yield another name the second time; here they count from 1 in each model, e.g. `dense_1`.
 */
function stableNames(topology: TopologyNode): NamedTopology {
  const renamed = new Map<string, string>();
  const counts = new Map<string, number>();
  const taken = new Set<string>();
  walk(topology, (node) => {
    const { name } = node.config;
    if (typeof name === "string" && !isMadeUp(name, node.class_name)) taken.add(name);
  });
  walk(topology, (node) => {
    const { name } = node.config;
    if (typeof name !== "string" || renamed.has(name) || !isMadeUp(name, node.class_name)) return;
    const stem = snakeCase(node.class_name);
    let newName: string;
    do {
      counts.set(stem, (counts.get(stem) ?? 0) + 1);
      newName = `${stem}_${counts.get(stem)}`;
    } while (taken.has(newName));
    taken.add(newName);
    renamed.set(name, newName);
  });
  // References to layers (inbound nodes, input and output layers) are strings equal to the name.
  const nameOf = (name: string): string => renamed.get(name) ?? name;
  const named = JSON.parse(JSON.stringify(topology), (_, value) => (typeof value === "string" ? nameOf(value) : value));
  return { topology: named as TopologyNode, nameOf };
}

/** The names that tfjs 4.22 makes up: `dense_Dense7` for layers, `input3`, `model2` and `sequential_1` for these. */
function isMadeUp(name: string, className: string): boolean {
  if (className === "InputLayer") return /^input\d+$/.test(name);
  if (className === "Sequential") return /^sequential_\d+$/.test(name);
  if (className === "Model" || className === "Functional") return /^(model|functional)\d+$/.test(name);
  return name.startsWith(`${snakeCase(className)}_${className}`) && /\d$/.test(name);
}

/** A class name as tfjs writes it in names: `BatchNormalization` → `batch_normalization`, `Conv2D` → `conv2d`. */
export function snakeCase(className: string): string {
  return className
    .replace(/(.)([A-Z][a-z0-9]+)/g, "$1_$2")
    .replace(/([a-z])([A-Z])/g, "$1_$2")
    .toLowerCase();
}

/** Visits every object that has a class and a configuration: models, layers, cells, initialisers, regularisers. */
export function walk(value: unknown, visit: (node: TopologyNode) => void): void {
  if (typeof value !== "object" || value === null) return;
  const node = value as TopologyNode;
  if (typeof node.class_name === "string" && typeof node.config === "object" && node.config !== null) visit(node);
  for (const part of Object.values(value)) walk(part, visit);
}
