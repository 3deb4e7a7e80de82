/**
 * A process that computes compiled gradients in two partitions, on the backend named on its command line: on a GPU, or,
 * with tfjs-node, with the operations on a second, virtual CPU device, while what is fed and fetched stays on the
 * first. It prints each model's answer in JSON, one per line. It is a separate process because a graph that waits for
 * itself can only be killed.
 */
import * as tf from "@tensorflow/tfjs-core";
import { openBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { compiler } from "../../backends/tensorflow/index.js";
import type { Binding, NativeBackend } from "../../backends/tensorflow/native-package.js";
import { programSettings } from "../../backends/tensorflow/program/index.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";

export interface TwoPartitionsAnswer {
  readonly model: string;
  /**
   * Whether each micro-batch's gradient has the bits of the operations one by one; or, where the program's bits are the
   * gradient's, whether a thread that starts later has those of one that started earlier.
   */
  readonly sameBits: boolean;
  /** Why the model was not compiled. */
  readonly refusals: readonly string[];
}

/** The model that is computed with a binding that claims a GPU, for which some kernels are others. */
const EMBEDDING = "Embedding, with the kernels for a GPU";

type Layers = Parameters<typeof openGradients>[0]["layers"];

const MODELS: Record<string, Layers> = {
  MLP: [
    { layer: "Dense", units: 16, inputShape: [4], activation: "relu" },
    { layer: "Dropout", rate: 0.3 },
    { layer: "Dense", units: 3 },
  ],
  GPT: [
    { layer: "Embedding", inputDim: 5, outputDim: 4, inputLength: 4, inputShape: [4] },
    { layer: "SelfAttention", heads: 2, causal: true },
    { layer: "LayerNormalization" },
    { layer: "Flatten" },
    { layer: "Dense", units: 3 },
  ],
  [EMBEDDING]: [
    { layer: "Embedding", inputDim: 5, outputDim: 4, inputLength: 4, inputShape: [4] },
    { layer: "Flatten" },
    { layer: "Dense", units: 3 },
  ],
};

/** Tokens below 5, which any model may have. */
const batch = (number: number) => {
  const inputs = Float32Array.from({ length: 8 * 4 }, (_, i) => (i * i + 3 * number) % 5);
  return { ...batchOf(number, 8), inputs: new Uint8Array(inputs.buffer) };
};

/** The binding's own properties can be neither enumerated nor replaced. */
function claimGpu(): void {
  const native = tf.backend() as NativeBackend;
  const { binding } = native;
  const own = Object.getOwnPropertyNames(binding).map((name) => [name, binding[name as keyof Binding]]);
  native.binding = { ...(Object.fromEntries(own) as Binding), isUsingGpuDevice: () => true };
}

const backend = process.argv[2] === "tfjs-node-gpu" ? "tfjs-node-gpu" : "tfjs-node";
const onGpu = backend === "tfjs-node-gpu";

/** @param settings of ISOBATCH_TENSORFLOW_PROGRAM, as for a CPU; undefined: operation by operation */
async function open(model: string, refusals: string[], settings: string | undefined) {
  const compiled = () => compiler(undefined, { ...programSettings(settings, false), split: !onGpu });
  return openGradients({
    layers: MODELS[model],
    backend,
    notice: (line: string) => void refusals.push(line),
    compiled: settings === undefined ? false : compiled,
  });
}

type Opened = Awaited<ReturnType<typeof open>>;

function haveSameBits(one: Opened, other: Opened, numbers: readonly number[]): boolean {
  return numbers.every((number) => {
    const [a, b] = [one, other].map(({ gradientOf }) => gradientOf(batch(number)));
    return a.loss === b.loss && Buffer.from(a.g.buffer).equals(Buffer.from(b.g.buffer));
  });
}

const answer = (model: string, sameBits: boolean, refusals: readonly string[]): boolean =>
  process.stdout.write(`${JSON.stringify({ model, sameBits, refusals } satisfies TwoPartitionsAnswer)}\n`);

await openBackend(backend, settings);
for (const model of Object.keys(MODELS)) {
  if (model === EMBEDDING && !onGpu) claimGpu();
  const refusals: string[] = [];
  const [compiled, eager] = [await open(model, refusals, ""), await open(model, refusals, undefined)];
  // The first two are watched; from the third on the program computes.
  answer(model, haveSameBits(compiled, eager, [0, 1, 2, 3, 4]), refusals);
  if (model === EMBEDDING) continue;
  for (const settings of ["plain", "grappler"]) {
    const [early, late] = [await open(model, refusals, settings), await open(model, refusals, settings)];
    for (const number of [0, 1, 2]) early.gradientOf(batch(number));
    answer(`${model} (${settings})`, haveSameBits(early, late, [2, 7]), refusals);
  }
}
process.exit(0);
