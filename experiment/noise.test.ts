import assert from "node:assert/strict";
import { it } from "node:test";
import { openBackend } from "../backends/index.js";
import { createGradients } from "../compute/gradients/index.js";
import {
  attachMemory,
  createWorkerMemory,
  gradientAddresses,
  viewElements,
  weightsAddresses,
} from "../compute/index.js";
import { createSampleOrder, prepareTask, resolveTask } from "../tasks/index.js";
import { trainInProcess } from "./trainer.js";

const [B, KAPPA, STEPS] = [16, 8, 40];

it("the noise of a step's sums is, on average, that of the micro-batches' own gradients of a net on MNIST", async () => {
  const task = resolveTask("noise", {
    name: "noise",
    model: {
      kind: "sequential",
      layers: [
        { layer: "Flatten", inputShape: [28, 28, 1] },
        { layer: "Dense", units: 8, activation: "relu" },
        { layer: "Dense", units: 10 },
      ],
    },
    loss: "softmaxCrossEntropy",
    dataset: { kind: "mnist", limit: 8_000, testLimit: 10 },
    microBatchSize: B,
    microBatchesPerStep: KAPPA,
    samples: B * KAPPA * STEPS,
    // The weights stay where they are, so that all gradients are of the same ones.
    learningRate: 1e-12,
  });
  const prepared = await prepareTask(task);
  const { noise } = await trainInProcess(task, { prepared, evaluate: false, measureNoise: true });

  const { data, built } = prepared;
  const memory = attachMemory(createWorkerMemory({ layout: built.layout, threads: 1, leaves: 1 }));
  const backend = await openBackend("wasm");
  const gradients = await createGradients({ task, topology: built.topology, form: data.train, backend, memory });
  viewElements(memory, weightsAddresses(memory.plan), 0, 0, built.layout.length).set(built.initialWeights);
  gradients.load();
  const order = createSampleOrder({ ...task, samples: data.train.samples });
  const target = gradientAddresses(memory.plan, 0);
  const all = Array.from({ length: KAPPA * STEPS }, (_, n) => {
    const indices = order.samplesOf(n);
    gradients.gradient({ number: n, samples: B, ...data.train.read(indices) }, target);
    return Float64Array.from(viewElements(memory, target, 0, 0, built.layout.parameters));
  });
  gradients.dispose();
  // The mean over the steps of the sample variance among each one's own micro-batches: the same, to float32's rounding.
  const steps = Array.from({ length: STEPS }, (_, i) => bruteForce(all.slice(KAPPA * i, KAPPA * (i + 1))));
  const average = (part: "trace" | "squaredGradient") => steps.reduce((sum, step) => sum + step[part], 0) / STEPS;
  for (const part of ["trace", "squaredGradient"] as const) {
    assert.ok(
      Math.abs(noise![part] / average(part) - 1) < 1e-4,
      `${part} ${noise![part]}, step by step ${average(part)}`,
    );
  }
  // Over all micro-batches at once: other estimates of the same, apart by what 40 steps leave open.
  const whole = bruteForce(all);
  assert.ok(Math.abs(noise!.trace / whole.trace - 1) < 0.02, `trace ${noise!.trace}, of all ${whole.trace}`);
  const difference = Math.abs(noise!.squaredGradient / whole.squaredGradient - 1);
  assert.ok(difference < 0.15, `|G|² ${noise!.squaredGradient}, of all ${whole.squaredGradient}`);
});

/** Unbiased estimates from micro-batches' gradients, in float64. */
function bruteForce(gradients: readonly Float64Array[]): { trace: number; squaredGradient: number } {
  const mean = gradients[0].map((_, i) => gradients.reduce((sum, g) => sum + g[i], 0) / gradients.length);
  const squares = gradients.reduce((sum, g) => sum + g.reduce((inner, x, i) => inner + (x - mean[i]) ** 2, 0), 0);
  const trace = (B * squares) / (gradients.length - 1);
  return { trace, squaredGradient: mean.reduce((sum, x) => sum + x * x, 0) - trace / (B * gradients.length) };
}
