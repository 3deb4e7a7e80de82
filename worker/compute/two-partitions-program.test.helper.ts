/**
 * A process that computes compiled gradients in two partitions, on the backend named on its command line: on a GPU, or, on
 * tfjs-node, with the operations on a second, virtual CPU device, while what is fed and fetched stays on the first. It prints
 * each model's answer in JSON, one per line. A process of its own, because a graph that waits for itself can only be killed.
 */
import * as tf from "@tensorflow/tfjs-core";
import { openBackend } from "../backends/index.js";
import { compiler } from "../backends/tensorflow/index.js";
import type { Binding, NativeBackend } from "../backends/tensorflow/native-package.js";
import { batchOf, openGradients } from "./open-gradients.test.helper.js";

export interface TwoPartitionsAnswer {
  readonly model: string;
  /** Whether each micro-batch's gradient has the bits of the operations one by one. */
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
await openBackend(backend);
for (const [model, layers] of Object.entries(MODELS)) {
  if (model === EMBEDDING && !onGpu) claimGpu();
  const refusals: string[] = [];
  const compiled = await openGradients({
    ...{ layers, backend, notice: (line: string) => void refusals.push(line) },
    compiled: () => compiler(onGpu ? undefined : { otherDevices: false, cpuDevices: 2, device: "/device:CPU:1" }),
  });
  const eager = await openGradients({ layers, backend, compiled: false });
  // The first two are watched; from the third on the program computes.
  const sameBits = [0, 1, 2, 3, 4].every((number) => {
    const [a, b] = [compiled, eager].map(({ gradientOf }) => gradientOf(batch(number)));
    return a.loss === b.loss && Buffer.from(a.g.buffer).equals(Buffer.from(b.g.buffer));
  });
  process.stdout.write(`${JSON.stringify({ model, sameBits, refusals } satisfies TwoPartitionsAnswer)}\n`);
}
process.exit(0);
