/**
 * A thread with tfjs as published: loads an exported model as another program does, computes its outputs, does the same
 * after `import "isobatch/layers"`, and replies with the differences. Only a separate thread has tfjs without the
 * repairs, so no import of this file may load them.
 */
import { readFileSync } from "node:fs";
import { join } from "node:path";
import { parentPort, workerData } from "node:worker_threads";
import * as core from "@tensorflow/tfjs-core";
import * as layers from "@tensorflow/tfjs-layers";
import "@tensorflow/tfjs-backend-cpu";
import { messageOf } from "../../shared/errors.js";
import {
  differenceOf,
  drawSamples,
  makesMasks,
  pairs,
  type RecordedCall,
  type RecordedPass,
  recordOutputs,
} from "../../tasks/models/record-outputs.js";
import { defineTensorMethods } from "../../tasks/models/tensor-methods.js";

/** A layer, and how it differs. */
export interface LayerFinding {
  readonly path: string;
  readonly className: string;
  /** The middle of a sentence. */
  readonly difference: string;
}

export interface PlainComparison {
  /** The layers that give other results in plain tfjs from the same inputs; not the layers that follow them. */
  readonly settings: readonly LayerFinding[];
  /** The same for layers that use a mask. */
  readonly masks: readonly LayerFinding[];
  /** Layers that would have taken too long. */
  readonly passed: readonly Omit<LayerFinding, "difference">[];
  /** Why plain tfjs cannot compute the model at all. */
  readonly plainError: string | undefined;
  /** Why the model cannot be computed with the repairs. */
  readonly repairedError: string | undefined;
}

/**
 * The tolerance, relative to a layer's largest output. A repair may sum in another order, and errors grow from layer to
 * layer.
 */
const TOLERANCE = 1e-4;

const tf = { ...core, ...layers };

/** The folder's model, with its weights. */
async function load(folder: string): Promise<layers.LayersModel> {
  const { modelTopology, weightsManifest } = JSON.parse(readFileSync(join(folder, "model.json"), "utf8")) as {
    modelTopology: object;
    weightsManifest: { paths: string[]; weights: core.io.WeightsManifestEntry[] }[];
  };
  const files = weightsManifest.flatMap(({ paths }) => paths.map((path) => readFileSync(join(folder, path))));
  const weightSpecs = weightsManifest.flatMap(({ weights }) => weights);
  const weightData = new Uint8Array(Buffer.concat(files)).buffer;
  return layers.loadLayersModel({ load: async () => ({ modelTopology, weightSpecs, weightData }) });
}

/** Initial values, which can take long to draw, are replaced by those of the files. */
function startWithZeros(): void {
  const prototype = layers.layers.Layer.prototype as unknown as { addWeight(...given: unknown[]): unknown };
  const { addWeight } = prototype;
  prototype.addWeight = function (name, shape, dtype, _, ...rest) {
    return addWeight.call(this, name, shape, dtype, layers.initializers.zeros(), ...rest);
  };
}

async function computed(folder: string): Promise<RecordedPass> {
  let model: layers.LayersModel;
  try {
    model = await load(folder);
  } catch (error) {
    return { calls: [], error: messageOf(error) };
  }
  try {
    const inputs = drawSamples(tf, model, [], makesMasks(model) ? ["none", "end", "start"] : ["none"]);
    return recordOutputs(tf, model, () => model.predict(inputs));
  } finally {
    model.dispose();
  }
}

function compare(
  plain: RecordedPass,
  repaired: RecordedPass,
  usesMask: (className: string) => boolean,
): PlainComparison {
  const settings = new Map<string, LayerFinding>();
  const masks = new Map<string, LayerFinding>();
  const passed = new Map<string, Omit<LayerFinding, "difference">>();
  for (const [right, other] of pairs(repaired, plain)) {
    const { path, className } = right;
    if (right.passed || other?.passed) passed.set(path, { path, className });
    // If the inputs differ already, an earlier layer is the cause.
    if (other === undefined || differenceOf(right.inputs, other.inputs, TOLERANCE) !== undefined) continue;
    const difference = differenceOf(right.outputs, other.outputs, TOLERANCE);
    if (difference === undefined) continue;
    const found = isMasked(right, other) && usesMask(className) ? masks : settings;
    if (!found.has(path)) found.set(path, { path, className, difference });
  }
  return {
    settings: [...settings.values()],
    masks: [...masks.values()],
    passed: [...passed.values()],
    plainError: plain.error,
    repairedError: repaired.error,
  };
}

const isMasked = (...calls: readonly RecordedCall[]): boolean => calls.some(({ masked }) => masked);

const { folder } = workerData as { folder: string };
core.env().set("PROD", true);
defineTensorMethods();
startWithZeros();
await core.setBackend("cpu");
const plain = await computed(folder);
await import("../../tasks/models/isobatch-layers.js");
const { takesMask } = await import("../../tasks/models/index.js");
const repaired = await computed(folder);
parentPort!.postMessage(compare(plain, repaired, (className) => takesMask({ getClassName: () => className })));
