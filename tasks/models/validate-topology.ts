/**
 * The gate through which every model passes before tfjs sees it: on the server, whose users make mistakes, and on a
 * worker, which got the topology over the network. tfjs builds anything, of any size and of any class that is
 * registered, and loops forever on a graph with a cycle. So classes come from an allow-list, sizes are bounded, and the
 * graph is checked. How many parameters a layer has is known only while it is built: `captureWeights` counts them then,
 * before they are allocated.
 */
import { invalid, messageOf } from "../../shared/errors.js";
import { refusal } from "./layer-table.js";
import type { TopologyNode } from "./topology.js";

export interface TopologyLimits {
  readonly bytesMax: number;
  /** The most layers of a model, including those inside nested models and wrappers. */
  readonly layersMax: number;
  /** The deepest nesting of the JSON. */
  readonly depthMax: number;
  readonly parametersMax: number;
  /** The most elements of one layer's output for one sample. */
  readonly outputMax: number;
}

export const TOPOLOGY_LIMITS: TopologyLimits = {
  bytesMax: 8 * 2 ** 20,
  layersMax: 2000,
  depthMax: 40,
  parametersMax: 2 ** 30,
  outputMax: 2 ** 28,
};

const MODELS = new Set(["Sequential", "Model", "Functional"]);

/** The classes that a layer's configuration may have, besides other layers. */
const PARTS = new Set([
  ...["Zeros", "Ones", "Constant", "RandomUniform", "RandomNormal", "TruncatedNormal", "Identity", "VarianceScaling"],
  ...["GlorotUniform", "GlorotNormal", "HeNormal", "HeUniform", "LeCunNormal", "LeCunUniform", "Orthogonal"],
  ...["L1L2", "MaxNorm", "UnitNorm", "NonNeg", "MinMaxNorm"],
]);

/** The most calls per layer on average: the time to check a graph grows with the square of its calls. */
const CALLS_PER_LAYER_MAX = 4;

const FORBIDDEN_KEYS = new Set(["__proto__", "constructor", "prototype", "customObjects", "custom_objects"]);

/**
 * Checks a topology's text.
 * @returns the parsed topology: a model without weights, built of known layers only.
 */
export function validateTopology(text: string, limits: TopologyLimits = TOPOLOGY_LIMITS): TopologyNode {
  const bytes = Buffer.byteLength(text);
  if (bytes > limits.bytesMax)
    invalid(`The model's topology has ${bytes} bytes; at most ${limits.bytesMax} are allowed.`);
  let topology: unknown;
  try {
    topology = JSON.parse(text);
  } catch (error) {
    return invalid(`The model's topology is not JSON: ${messageOf(error)}.`);
  }
  if (!isNode(topology) || !MODELS.has(topology.class_name)) {
    return invalid(`The model's topology is not a LayersModel; give what LayersModel.toJSON writes.`);
  }
  checkContents(topology, limits);
  return topology;
}

function isNode(value: unknown): value is TopologyNode {
  const node = value as Partial<TopologyNode> | null;
  return (
    typeof node === "object" &&
    node !== null &&
    typeof node.class_name === "string" &&
    typeof node.config === "object" &&
    node.config !== null
  );
}

function checkContents(topology: TopologyNode, limits: TopologyLimits): void {
  let layers = 0;
  /** @param repeated whether the layer is called more than once for a micro-batch, or is inside one that is. */
  const visit = (value: unknown, depth: number, repeated: boolean): void => {
    if (typeof value !== "object" || value === null) {
      if (typeof value === "number" && !Number.isFinite(value)) {
        invalid(`The model's topology holds the number ${value}; every number must be finite.`);
      }
      return;
    }
    if (depth > limits.depthMax)
      invalid(`The model's topology is nested deeper than ${limits.depthMax} levels; flatten it.`);
    for (const key of Object.keys(value)) {
      if (FORBIDDEN_KEYS.has(key)) invalid(`The model's topology has the key "${key}", which is not allowed.`);
    }
    let callsParts = repeated;
    if ("class_name" in value) {
      if (!isNode(value)) invalid("The model's topology has a class without a configuration.");
      const node = value as TopologyNode;
      const calls = Array.isArray(node.inbound_nodes) ? node.inbound_nodes.length : 1;
      callsParts ||= REPEATING.has(node.class_name) || calls > 1;
      if (MODELS.has(node.class_name)) checkGraph(node, limits);
      else if (!PARTS.has(node.class_name)) {
        layers += 1;
        const reason = refusal(node.class_name, node.config) ?? refusalOfRepetition(node.class_name, callsParts);
        if (reason !== undefined) {
          invalid(`Layer "${node.config.name ?? ""}" (${node.class_name}) can't be trained: ${reason}.`);
        }
      }
    }
    if (layers > limits.layersMax) invalid(`The model has more than ${limits.layersMax} layers, the most allowed.`);
    for (const part of Object.values(value)) visit(part, depth + 1, callsParts);
  };
  visit(topology, 0, false);
}

/** Layers that call the one they wrap once per time step, or forwards and backwards. */
const REPEATING = new Set(["TimeDistributed", "Bidirectional", "RNN"]);

function refusalOfRepetition(className: string, repeated: boolean): string | undefined {
  if (className !== "BatchNormalization" || !repeated) return undefined;
  return "it is called more than once for a micro-batch, and of its statistics only the last would count; give each call its own layer";
}

/** A functional model's references must name existing layers and calls, and have no cycle. */
function checkGraph(model: TopologyNode, limits: TopologyLimits): void {
  const { layers } = model.config;
  if (!Array.isArray(layers) || !layers.every(isNode)) invalid("The model's topology has no list of layers.");
  if (layers.length > limits.layersMax)
    invalid(`The model has more than ${limits.layersMax} layers, the most allowed.`);
  if (model.class_name === "Sequential") return checkNames(layers);
  checkNames(layers);
  // A call is a layer applied to its inputs, named `layer/number`; each waits for the calls that feed it.
  const waiting = new Map<string, string[]>();
  let called = 0;
  for (const layer of layers) {
    const calls = layer.inbound_nodes;
    called += Array.isArray(calls) ? calls.length : 0;
    if (called > CALLS_PER_LAYER_MAX * limits.layersMax) invalid("The model's layers are called too often.");
    const name = layer.name ?? "";
    if (!Array.isArray(calls) || typeof layer.name !== "string" || layer.config.name !== name) {
      invalid(`Layer "${name}" of the model's topology has no list of inbound nodes, or two names.`);
    }
    // An InputLayer is never called; its output exists from the start. tfjs counts the creation of a model as its call 0.
    if (calls.length === 0) waiting.set(`${name}/0`, []);
    const first = MODELS.has(layer.class_name) ? 1 : 0;
    calls.forEach((call, i) => {
      const sources = Array.isArray(call) ? call.map(callName) : [undefined];
      if (sources.includes(undefined)) invalid(`Layer "${name}" of the model's topology has a malformed inbound node.`);
      waiting.set(`${name}/${first + i}`, sources as string[]);
    });
  }
  for (const field of ["input_layers", "output_layers"]) {
    const references = model.config[field];
    const known = Array.isArray(references) && references.every((reference) => waiting.has(callName(reference) ?? ""));
    if (!known) invalid(`The model's topology has ${field} that don't exist.`);
  }
  const done = new Set<string>();
  for (let before = -1; done.size > before; ) {
    before = done.size;
    for (const [call, sources] of waiting) if (sources.every((source) => done.has(source))) done.add(call);
  }
  const stuck = [...waiting.keys()].find((call) => !done.has(call));
  if (stuck !== undefined) {
    invalid(
      `Layer "${stuck.split("/")[0]}" of the model's topology depends on itself, or on a layer that doesn't exist.`,
    );
  }
}

/** Weights and connections are found by the names of layers. */
function checkNames(layers: readonly TopologyNode[]): void {
  const names = new Set<string>();
  for (const { config } of layers) {
    const { name } = config;
    if (name === undefined) continue;
    if (names.has(name)) invalid(`The model's topology has two layers called "${name}"; give each its own name.`);
    names.add(name);
  }
}

/** The call that `[layer, call number, output number, …]` refers to. */
function callName(reference: unknown): string | undefined {
  if (!Array.isArray(reference)) return undefined;
  const [layer, call, output] = reference;
  const numbers = Number.isInteger(call) && call >= 0 && Number.isInteger(output) && output >= 0;
  return typeof layer === "string" && numbers ? `${layer}/${call}` : undefined;
}
