/** A model made by a task module's own code. The code runs on the server only; workers get the topology. */
import { createHash } from "node:crypto";
import { readFile } from "node:fs/promises";
import { pathToFileURL } from "node:url";
import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import type { LayersModel } from "./capture-weights.js";
import { weightsByPath } from "./layer-paths.js";
import { onCpuThroughout, type TensorFlow, tensorflow } from "./tensorflow.js";

/** A module's bytes, hashed, and its default export. */
export interface LoadedModule {
  readonly hash: string;
  readonly definition: unknown;
}

export async function loadModule(path: string): Promise<LoadedModule> {
  const hash = await moduleHash(path);
  try {
    // The hash in the address makes Node load a changed module anew.
    const module = (await import(`${pathToFileURL(path).href}?sha256=${hash}`)) as { default?: unknown };
    return { hash, definition: module.default };
  } catch (error) {
    return invalid(`The task module ${path} can't be loaded: ${messageOf(error)}`, { cause: error });
  }
}

/** SHA-256 of a task module's bytes, in hexadecimal. */
export async function moduleHash(path: string): Promise<string> {
  try {
    return createHash("sha256")
      .update(await readFile(path))
      .digest("hex");
  } catch (error) {
    return invalid(`The task module ${path} can't be read: ${reasonOf(error)}.`, { cause: error });
  }
}

export async function moduleModel(spec: { path: string; hash: string }): Promise<LayersModel> {
  const { hash, definition } = await loadModule(spec.path);
  if (hash !== spec.hash) {
    throw new IsobatchError(
      "refused",
      `${spec.path} has changed since the run began (SHA-256 ${hash.slice(0, 12)}… instead of ${spec.hash.slice(0, 12)}…); ` +
        "put the former file back, or start a new run directory.",
    );
  }
  const { model } = (definition ?? {}) as { model?: (tf: TensorFlow) => unknown };
  if (typeof model !== "function")
    return invalid(`${spec.path} exports no model function; export defineTask({ model }).`);
  let made: unknown;
  try {
    made = await onCpuThroughout(() => model(tensorflow));
  } catch (error) {
    return invalid(`The model function of ${spec.path} failed: ${messageOf(error)}`, { cause: error });
  }
  // By its methods, not by class: the module may use its own copy of tfjs.
  const candidate = made as Partial<LayersModel> | null | undefined;
  if (typeof candidate?.toJSON !== "function" || !Array.isArray(candidate.layers)) {
    return invalid(
      `The model function of ${spec.path} returned no LayersModel; return tf.sequential(…) or tf.model(…).`,
    );
  }
  return unregistered(made as LayersModel);
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
