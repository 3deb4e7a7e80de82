/**
 * The server's side of a model: from a task to a topology, a layout and the first weights, the same bits at any time and on any
 * machine. Whatever the source (layers in a task file, a module's code), it passes through its
 * topology, so that what is trained is exactly what workers will build.
 */
import { invalid } from "../../shared/errors.js";
import { createLayout, type Layout, type TensorSpec } from "../../shared/layout/index.js";
import { seedOf } from "../../shared/random.js";
import type { SampleSpec } from "../datasets/index.js";
import { type ModelSpec, matchesPattern, type Task } from "../task.js";
import { queueBuild } from "./build-queue.js";
import { builtInModel } from "./built-in/index.js";
import {
  type Captured,
  type CapturedWeight,
  type Initializer,
  type Layer,
  type LayersModel,
  type LayerVariable,
  weightNames,
} from "./capture-weights.js";
import { copyWeights } from "./copy-weights.js";
import { carryFrozen, checkTrained, freezeLayers } from "./freezing.js";
import { checkMasks } from "./masks.js";
import { moduleModel } from "./module-model.js";
import { rebuild } from "./rebuild.js";
import { checkLosses, checkSettings } from "./round-trip.js";
import { checkOutputs } from "./round-trip-outputs.js";
import { sequentialModel } from "./sequential-model.js";
import { onCpu, tensorflow as tf } from "./tensorflow.js";
import { topologyOf } from "./topology.js";

export interface BuiltModel {
  /** The model, with the initial weights. */
  readonly model: LayersModel;
  /** The model's JSON, without weights. */
  readonly topology: string;
  readonly layout: Layout;
  /** `layout.length` numbers, in layout order. */
  readonly initialWeights: Float32Array;
  /** What its author may not expect of the model, one sentence each. */
  readonly notes: readonly string[];
}

/** The fields of a task that decide its model. */
export type ModelTask = Pick<Task, "seed" | "model" | "initialWeights" | "weightDecayExclude" | "freeze">;

/**
 * Builds a task's model on tfjs's cpu backend. A task module's own function may wait for something, during which
 * nothing else in the process may compute; so this is called before any training starts.
 * @param form the form of the data, for the sizes that a built-in model takes from it.
 * @param made the model, where a function of the program has made it already; it is disposed of.
 */
export async function buildModel(task: ModelTask, form?: SampleSpec, made?: LayersModel): Promise<BuiltModel> {
  return queueBuild(async () => buildFrom(made ?? (await sourceModel(task.model, form)), task, form));
}

/** Builds the model that is trained from the one that a task describes, which is disposed of. */
export async function buildFrom(source: LayersModel, task: ModelTask, form?: SampleSpec): Promise<BuiltModel> {
  const { topology: json, nameOf } = topologyOf(source);
  const frozen = [...carryFrozen(source, json), ...freezeLayers(json, task.freeze)];
  const topology = JSON.stringify(json);
  const captured = await rebuild(topology);
  const notes = checkMasks(captured.model);
  checkSettings(source, captured.model, json, nameOf);
  copyWeights(source, captured.model, nameOf);
  checkTrained(source, captured.model, frozen, nameOf);
  checkLosses(source, captured.model, nameOf);
  // Only a module's code can make a model that its layers' settings don't describe fully.
  if (task.model.kind === "module") checkOutputs(source, captured.model, nameOf, form?.input.shape);
  if (task.initialWeights === "seeded") onCpu(() => drawWeights(captured, task.seed));
  source.dispose();
  const layout = createLayout(tensorSpecs(captured, task.weightDecayExclude));
  if (layout.parameters === 0) invalid("The model has nothing to train: every weight is frozen, or there is none.");
  const initialWeights = onCpu(() => flatWeights(captured.model, layout));
  return { model: captured.model, topology, layout, initialWeights, notes };
}

function sourceModel(spec: ModelSpec, form: SampleSpec | undefined): LayersModel | Promise<LayersModel> {
  if (spec.kind === "module") return moduleModel(spec);
  return onCpu(() => (spec.kind === "sequential" ? sequentialModel(spec) : builtInModel(spec, form)));
}

/**
 * Gives each weight the values of its initialiser, seeded by the weight's name: two layers of one shape differ, and
 * adding a layer leaves the others as they were. Seeds that a model's author set are replaced by the run's.
 */
function drawWeights({ model, weights }: Captured, seed: number): void {
  const names = weightNames(model);
  for (const [weight, name] of names) {
    const { layer, initializer } = weights.get(weight) as CapturedWeight;
    // An LSTM's bias initialiser hides the configured one inside, so all of the layer's are seeded.
    const parts = new Set([initializer, ...Object.values(layer as object)].filter(isSeeded));
    const restore = [...parts].map((part) =>
      seedCalls(part, (call) => seedOf(seed, "initial weights", name, ...(call === 0 ? [] : [call]))),
    );
    tf.tidy(() => {
      weight.write(initializer.apply(weight.shape as number[], "float32"));
    });
    for (const undo of restore) undo();
  }
}

/**
 * Gives each call of an initialiser its own seed: an LSTM's bias is made in two calls, which would draw the same.
 * @returns a function that undoes this.
 */
function seedCalls(initializer: Initializer, seedOfCall: (call: number) => number): () => void {
  const { apply } = initializer;
  let calls = 0;
  initializer.apply = (...given) => {
    initializer.seed = seedOfCall(calls++);
    return apply.apply(initializer, given);
  };
  return () => {
    initializer.apply = apply;
  };
}

function isSeeded(part: unknown): part is Initializer {
  const initializer = part as Partial<Initializer> | null | undefined;
  return typeof initializer === "object" && typeof initializer?.apply === "function" && "seed" in initializer;
}

function tensorSpecs({ model, weights }: Captured, weightDecayExclude: readonly string[]): TensorSpec[] {
  const names = weightNames(model);
  const trained = new Set<LayerVariable>(model.trainableWeights);
  return model.weights.map((weight) => {
    const name = names.get(weight)!;
    const shape = weight.shape as number[];
    if (weight.dtype !== "float32") invalid(`Weight ${name} is of type ${weight.dtype}; only float32 can be trained.`);
    if (trained.has(weight)) {
      return {
        name,
        shape,
        kind: "parameter",
        // tfjs's own name too: where a model repeats one, a bias is called `dense/bias_2`.
        decay: !weightDecayExclude.some(
          (pattern) => matchesPattern(name, pattern) || matchesPattern(weight.originalName, pattern),
        ),
      };
    }
    const { layer, name: own } = weights.get(weight) as CapturedWeight;
    if (layer.getClassName() === "BatchNormalization" && own.startsWith("moving_") && !isFrozen(layer, trained)) {
      return { name, shape, kind: "tail", decay: false, momentum: (layer as unknown as { momentum: number }).momentum };
    }
    return { name, shape, kind: "frozen", decay: false };
  });
}

/** Whether a BatchNorm is frozen: it then normalises by the moving statistics it has, so they are frozen with it. */
function isFrozen(layer: Layer, trained: ReadonlySet<LayerVariable>): boolean {
  if (layer.trainable === false) return true;
  // A frozen model sets no flag of its layers, only of their weights.
  const others = layer.weights.filter(({ originalName }) => !originalName.includes("/moving_"));
  return others.length > 0 && !others.some((weight) => trained.has(weight));
}

function flatWeights(model: LayersModel, layout: Layout): Float32Array {
  const byName = new Map([...weightNames(model)].map(([weight, name]) => [name, weight]));
  const flat = new Float32Array(layout.length);
  for (const { name, offset } of layout.tensors) flat.set(byName.get(name)!.read().dataSync() as Float32Array, offset);
  const bad = flat.findIndex((value) => !Number.isFinite(value));
  if (bad >= 0) {
    const tensor = layout.tensors.find(({ offset, length }) => bad < offset + length);
    invalid(`The initial weight ${tensor?.name} holds ${flat[bad]}; every weight must be finite.`);
  }
  return flat;
}
