import { type BackendName, type Compiler, openBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import type { Layout } from "../../shared/layout/index.js";
import { buildModel, type SampleSpec, type Task } from "../../tasks/index.js";
import type { GradientFlip } from "../gradient-flip.js";
import {
  attachMemory,
  createWorkerMemory,
  gradientAddresses,
  type SharedMemory,
  viewElements,
  weightsAddresses,
} from "../memory.js";
import { createGradients, type Gradients, type GradientsOptions, type SampleBatch } from "./gradients.js";

/** Four numbers in, one of three classes out. */
export const FORM: SampleSpec = {
  input: { shape: [4], type: "float32", scale: 1 },
  label: { shape: [], type: "uint8", classes: 3 },
};

export const TASK = {
  seed: 5,
  loss: "softmaxCrossEntropy" as const,
  labelSmoothing: 0,
  clipNorm: null,
  wire: "float32" as const,
  precision: "float32" as const,
};

export interface OpenGradients {
  readonly gradients: Gradients;
  readonly layout: Layout;
  readonly topology: string;
  readonly memory: SharedMemory;
  /** θ, `layout.length` numbers. */
  setWeights(theta: Float32Array): void;
  readonly initialWeights: Float32Array;
  /** The gradient, with the tail behind it. */
  gradientOf(batch: SampleBatch): { loss: number; g: Float32Array };
}

/** Gradients of a small model of layers as a task file names them, on the wasm backend unless another is named. */
export async function openGradients(options: {
  backend?: BackendName;
  /** Whether the backend's compiler is used, if it has one; or the compiler to use, made once the backend is open. */
  compiled?: boolean | (() => Compiler | undefined);
  notice?: (line: string) => void;
  layers: { layer: string; [field: string]: unknown }[];
  freeze?: string[];
  task?: Partial<Pick<Task, "seed" | "loss" | "labelSmoothing" | "clipNorm" | "wire" | "precision">>;
  flip?: GradientFlip;
  foldOn?: GradientsOptions["foldOn"];
  /** Cuts the layout into segments that end at these elements. */
  cuts?: number[];
}): Promise<OpenGradients> {
  const { compiled = true, notice } = options;
  const opened = await openBackend(options.backend ?? "wasm", settings);
  const compiler = typeof compiled === "function" ? compiled() : compiled ? opened.compiler : undefined;
  const backend = { ...opened, compiler };
  const built = await buildModel({
    seed: 3,
    model: { kind: "sequential", layers: options.layers },
    initialWeights: "seeded",
    weightDecayExclude: [],
    freeze: options.freeze ?? [],
  });
  const layout = options.cuts === undefined ? built.layout : cutLayout(built.layout, options.cuts);
  const memory = attachMemory(createWorkerMemory({ layout, threads: 1, leaves: 1 }));
  const { plan } = memory;
  const task = { ...TASK, ...options.task };
  const { topology, initialWeights } = built;
  const { flip, foldOn } = options;
  const gradients = await createGradients({ task, topology, form: FORM, backend, memory, notice, flip, foldOn });
  const theta = weightsAddresses(plan);
  const g = gradientAddresses(plan, 0);
  const setWeights = (values: Float32Array): void => {
    for (const [i, { offset, length }] of plan.segments.entries()) {
      viewElements(memory, theta, i, offset, length).set(values.subarray(offset, offset + length));
    }
    gradients.load();
  };
  setWeights(initialWeights);
  return {
    gradients,
    layout,
    topology,
    memory,
    initialWeights,
    setWeights,
    gradientOf(batch) {
      const loss = gradients.gradient(batch, g);
      const parts = plan.segments.map(({ offset, averaged }, i) => [...viewElements(memory, g, i, offset, averaged)]);
      return { loss, g: Float32Array.from(parts.flat()) };
    },
  };
}

/** A micro-batch of `samples` that depends only on the number. */
export function batchOf(number: number, samples = 8): SampleBatch {
  const inputs = Float32Array.from({ length: samples * 4 }, (_, i) => Math.sin(1 + i * 1.7 + number * 0.9));
  const labels = Uint8Array.from({ length: samples }, (_, i) => (i + number) % 3);
  return { number, samples, inputs: new Uint8Array(inputs.buffer), labels };
}

function cutLayout(layout: Layout, cuts: number[]): Layout {
  const ends = [...cuts, layout.length];
  const segments = ends.map((end, index) => {
    const offset = index === 0 ? 0 : ends[index - 1];
    return { index, offset, length: end - offset };
  });
  return { ...layout, segments };
}
