/**
 * Counts the operations of a compiled gradient, each of which costs time on a GPU, and the bytes of its constants. TensorFlow
 * computes only the two micro-batches that are traced; the compiled graph is not run, but counted.
 */

import { type Compiler, openBackend } from "../backends/index.js";
import { settings } from "../backends/settings.test.helper.js";
import type { NativeBackend } from "../backends/tensorflow/index.js";
import { createCompiler, programSettings, type SessionAddon } from "../backends/tensorflow/program/index.js";
import { createGradients } from "../compute/gradients/index.js";
import { attachMemory, createWorkerMemory, gradientAddresses } from "../compute/index.js";
import { readFields } from "../shared/protobuf.js";
import { buildModel, type ModelSpec } from "../tasks/index.js";
import { backend as currentBackend } from "../tasks/tfjs/core.js";
import { characters, images, type MeasuredModel, measuredModels, randomBatch, VOCABULARY } from "./models.js";

export interface CountedNode {
  readonly name: string;
  readonly operation: string;
  readonly inputs: readonly string[];
  /** The bytes of its attributes, one of which is a constant's value. */
  readonly bytes: number;
}

export interface OperationsCount extends GraphCount {
  /** The number of operations that the same gradient takes where it is not compiled. */
  readonly traced: number;
}

export interface GraphCount {
  /** The number of operations that TensorFlow executes for each micro-batch. */
  readonly operations: number;
  readonly constantBytes: number;
  /** The number of operations of each kind, the most frequent first. */
  readonly byOperation: Readonly<Record<string, number>>;
}

/** Kinds of nodes for which nothing is executed. */
const GIVEN = new Set(["Const", "Placeholder", "VarHandleOp"]);

export type OperationsModelName = "mlp" | "cnn" | "resnet18" | "gpt" | "vit";

/** The models that are compared with PyTorch on a GPU; small ones have as many operations, but fewer numbers. */
export function operationsModels(small: boolean): Record<OperationsModelName, MeasuredModel> {
  const size = (whole: number, reduced: number): number => (small ? reduced : whole);
  const transformer = { mlpWidth: null, dropout: 0, width: size(384, 24) };
  const resnet: ModelSpec = { ...measuredModels.resnet18.model, width: size(64, 4) } as ModelSpec;
  return {
    mlp: measuredModels.mlp,
    cnn: { ...measuredModels.cnn, batch: size(64, 4) },
    resnet18: { model: resnet, form: images(32, 32, 3), batch: size(128, 4) },
    gpt: {
      model: { kind: "gpt", layers: 6, heads: 6, context: null, vocabulary: null, ...transformer },
      form: characters(size(256, 8)),
      values: VOCABULARY,
      batch: size(16, 2),
    },
    vit: {
      model: { kind: "vit", layers: 7, heads: 8, patch: 4, inputShape: null, classes: null, ...transformer },
      form: images(32, 32, 3),
      batch: size(128, 2),
    },
  };
}

/** @param labelSmoothing the label smoothing of the loss, a softmax cross-entropy. */
export async function countOperations(measured: MeasuredModel, labelSmoothing = 0): Promise<OperationsCount> {
  const { model, form } = measured;
  const backend = await openBackend("tfjs-node", settings);
  const graph: { nodes: CountedNode[]; fetches: readonly string[] } = { nodes: [], fetches: [] };
  const addon: SessionAddon = {
    open(bytes) {
      graph.nodes = nodesOf(bytes);
      return {};
    },
    prepare(_, feeds, fetches) {
      if (feeds.length > 0 && fetches.length > 0) graph.fetches = fetches;
      return 0;
    },
    run: () => undefined,
    close: () => undefined,
  };
  let traced = 0;
  const { trace, ...rest } = createCompiler(
    () => currentBackend() as NativeBackend,
    addon,
    programSettings(undefined, false),
  );
  const compiler: Compiler = {
    ...rest,
    trace(computation) {
      const made = trace(computation);
      traced = made.operations;
      return made;
    },
  };
  const { layout, topology } = await buildModel(
    { seed: 1, model, initialWeights: "seeded", weightDecayExclude: [], freeze: [] },
    form,
  );
  const memory = attachMemory(createWorkerMemory({ layout, threads: 1, leaves: 1 }));
  const task = {
    ...{ seed: 1, loss: "softmaxCrossEntropy" as const, labelSmoothing, clipNorm: null },
    ...{ wire: "float32" as const, precision: "float32" as const },
  };
  const refusals: string[] = [];
  const gradients = await createGradients({
    ...{ task, topology, form, memory, backend: { ...backend, compiler } },
    notice: (line) => void refusals.push(line),
  });
  const batch = randomBatch(measured);
  for (const number of [0, 1]) gradients.gradient({ ...batch, number }, gradientAddresses(memory.plan, 0));
  gradients.dispose();
  if (graph.nodes.length === 0) throw new Error(`no graph was made: ${refusals.join("; ")}`);
  return { traced, ...countNodes(graph.nodes, graph.fetches) };
}

/** Counts the nodes that the fetches need. */
export function countNodes(nodes: readonly CountedNode[], fetches: readonly string[]): GraphCount {
  const byName = new Map(nodes.map((node) => [node.name, node]));
  const needed = new Set<CountedNode>();
  const reach = (input: string): void => {
    const node = byName.get(input.replace(/^\^|:\d+$/g, ""));
    if (node === undefined || needed.has(node)) return;
    needed.add(node);
    node.inputs.forEach(reach);
  };
  fetches.forEach(reach);
  const counts: Record<string, number> = {};
  let [operations, constantBytes] = [0, 0];
  for (const { operation, bytes } of needed) {
    if (operation === "Const") constantBytes += bytes;
    if (GIVEN.has(operation)) continue;
    operations++;
    counts[operation] = (counts[operation] ?? 0) + 1;
  }
  const byOperation = Object.fromEntries(Object.entries(counts).sort(([, a], [, b]) => b - a));
  return { operations, constantBytes, byOperation };
}

/** The nodes of an encoded GraphDef. */
function nodesOf(bytes: Uint8Array): CountedNode[] {
  const nodes: CountedNode[] = [];
  const text = (from: number, to: number): string => Buffer.from(bytes.subarray(from, to)).toString();
  const number = (): void => undefined;
  readFields(bytes, 0, bytes.length, {
    number,
    bytes(field, from, to) {
      if (field !== 1) return;
      const node = { name: "", operation: "", inputs: [] as string[], bytes: 0 };
      readFields(bytes, from, to, {
        number,
        bytes(field, from, to) {
          if (field === 1) node.name = text(from, to);
          if (field === 2) node.operation = text(from, to);
          if (field === 3) node.inputs.push(text(from, to));
          if (field === 5) node.bytes += to - from;
        },
      });
      nodes.push(node);
    },
  });
  return nodes;
}

/** One line for each model that is compared with PyTorch. The ViT's labels are smoothed. */
export async function operationsScenario(): Promise<object[]> {
  const lines: object[] = [];
  for (const [model, measured] of Object.entries(operationsModels(false))) {
    lines.push({ scenario: "operations", model, ...(await countOperations(measured, model === "vit" ? 0.1 : 0)) });
  }
  return lines;
}
