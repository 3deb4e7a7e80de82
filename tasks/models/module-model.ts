/** A model made by a function: a task module's, or one of the program that starts the run. Workers get the topology. */
import { createHash } from "node:crypto";
import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import { loadModule } from "../modules/load-module.js";
import type { LayersModel } from "./capture-weights.js";
import { weightsByPath } from "./layer-paths.js";
import { onCpuThroughout, type TensorFlow, tensorflow } from "./tensorflow.js";
import { topologyOf } from "./topology.js";

/** @param path of the task module; null: a function of the program made the model. */
export async function moduleModel(spec: { path: string | null; hash: string }): Promise<LayersModel> {
  const { path } = spec;
  if (path === null) {
    return invalid(
      "The task's model was made by a function of the program that started the run; start it from that program, or write the " +
        "function in a task module.",
    );
  }
  const { hash, definition } = await loadModule(path);
  if (hash !== spec.hash) {
    throw new IsobatchError(
      "refused",
      `${path} has changed since the run was started (SHA-256 ${hash.slice(0, 12)}… instead of ${spec.hash.slice(0, 12)}…); ` +
        "put the former file back, or start a new run directory.",
    );
  }
  const { model } = (definition ?? {}) as { model?: unknown };
  if (typeof model !== "function") return invalid(`${path} exports no model function; export defineTask({ model }).`);
  return madeBy(model as MakeModel, `The model function of ${path}`);
}

export type MakeModel = (tf: TensorFlow) => unknown;

/**
 * The model that a function makes, on tfjs's cpu backend.
 * @param subject the function, as the start of a sentence.
 * @throws {IsobatchError} `invalid_input` if it fails, or returns something else
 */
export async function madeBy(make: MakeModel, subject: string): Promise<LayersModel> {
  let made: unknown;
  try {
    made = await onCpuThroughout(() => make(tensorflow));
  } catch (error) {
    return invalid(`${subject} failed: ${messageOf(error)}`, { cause: error });
  }
  // By its methods, not by class: the function may use its own copy of tfjs.
  const candidate = made as Partial<LayersModel> | null | undefined;
  if (typeof candidate?.toJSON !== "function" || !Array.isArray(candidate.layers)) {
    return invalid(`${subject} returned no LayersModel; return tf.sequential(…) or tf.model(…).`);
  }
  return unregistered(made as LayersModel);
}

/**
 * Takes the place of the hash of a module's bytes if there is no module: the SHA-256, in hexadecimal, of the model's topology
 * and, if training starts from them, of its weights.
 */
export function hashOfModel(model: LayersModel, withWeights: boolean): string {
  const { topology, nameOf } = topologyOf(model);
  const hash = createHash("sha256").update(JSON.stringify(topology));
  for (const { path, weight } of withWeights ? weightsByPath(model, nameOf) : []) {
    const values = weight.read().dataSync();
    hash.update(path).update(new Uint8Array(values.buffer, values.byteOffset, values.byteLength));
  }
  return hash.digest("hex");
}

/**
 * Takes a model's variables out of tfjs's list of names, which all copies of tfjs in a process share, while each counts
 * names for itself: without this, no layer could be rebuilt under the name that it has in a module's own copy.
 */
export function unregistered(model: LayersModel): LayersModel {
  const { registeredVariables } = tensorflow.engine();
  for (const { weight } of weightsByPath(model))
    delete registeredVariables[(weight.read() as { name?: string }).name ?? ""];
  return model;
}
