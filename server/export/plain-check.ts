/** Checks whether an exported model gives the same results in a program that uses only tfjs. */
import { Worker } from "node:worker_threads";
import { messageOf } from "../../shared/errors.js";
import { usesOwnLayers } from "../../tasks/models/index.js";
import type { LayerFinding, PlainComparison } from "./plain-thread.js";

/** The time limit. The work is bounded and takes a few seconds, so this is only for the unforeseen. */
const LIMIT_MS = 60_000;

/** The most layers named in one sentence. */
const NAMED_MAX = 3;

const REMEDY =
  'import "isobatch/layers" in the program that loads the model, and its predict() computes what Isobatch does.';

/**
 * Loads the model that `exportTfjs` wrote to `folder` as another program does, without our repairs of tfjs, and
 * compares the outputs of its layers. A model with layers that only Isobatch has cannot be loaded without
 * `isobatch/layers`, which includes the repairs, so there is nothing to compare.
 * @param topology the model's topology.
 * @returns one sentence for each kind of difference, and one about layers that could not be compared.
 */
export async function plainDifferences(folder: string, topology: string): Promise<string[]> {
  if (usesOwnLayers(topology)) return [];
  try {
    return sentences(await compared(folder));
  } catch (error) {
    return [uncompared(messageOf(error))];
  }
}

async function compared(folder: string): Promise<PlainComparison> {
  // What tfjs prints is dropped: the thread's standard output and error are not this process's.
  const thread = new Worker(new URL("./plain-thread.js", import.meta.url), {
    workerData: { folder },
    stdout: true,
    stderr: true,
  });
  let overdue: NodeJS.Timeout | undefined;
  try {
    return await new Promise((resolve, reject) => {
      thread.once("message", resolve);
      thread.once("error", reject);
      thread.once("exit", (code) => reject(new Error(`the comparison ended with code ${code}`)));
      overdue = setTimeout(() => reject(new Error(`it was not done after ${LIMIT_MS / 1000} s`)), LIMIT_MS);
    });
  } finally {
    clearTimeout(overdue);
    await thread.terminate();
  }
}

function sentences({ settings, masks, passed, plainError, repairedError }: PlainComparison): string[] {
  if (repairedError !== undefined) return [uncompared(repairedError)];
  const found: string[] = [];
  if (settings.length > 0) {
    found.push(
      `In plain TensorFlow.js the exported model computes something else: ${described(settings)}, because TensorFlow.js ` +
        `treats the layer's settings differently. ${REMEDY}`,
    );
  }
  if (masks.length > 0) {
    found.push(
      `In plain TensorFlow.js the exported model computes something else where steps are masked: ${described(masks)}, ` +
        `because TensorFlow.js hands on or uses masks otherwise. ${REMEDY}`,
    );
  }
  if (plainError !== undefined) {
    found.push(`Plain TensorFlow.js can't compute the exported model ("${plainError}"). ${REMEDY}`);
  }
  if (passed.length > 0) {
    found.push(
      `Not compared with plain TensorFlow.js, because computing them here would take too long: ${listed(passed)}.`,
    );
  }
  return found;
}

const uncompared = (reason: string): string =>
  `Whether plain TensorFlow.js computes what Isobatch does could not be checked (${reason}); import "isobatch/layers" in the ` +
  "program that loads the model to be sure.";

const described = (layers: readonly LayerFinding[]): string => {
  const [{ difference }] = layers;
  return layers.length === 1 ? `${listed(layers)} ${difference}` : `${listed(layers)} (the first ${difference})`;
};

/** `layer "a" (LSTM)`, `layers "a" (LSTM), "b" (GRU) and 4 more`. */
function listed(layers: readonly Omit<LayerFinding, "difference">[]): string {
  const named = layers.slice(0, NAMED_MAX).map(({ path, className }) => `"${path}" (${className})`);
  const more = layers.length - named.length;
  return `layer${layers.length === 1 ? "" : "s"} ${named.join(", ")}${more > 0 ? ` and ${more} more` : ""}`;
}
