/**
 * The trainer compared with plain loops in float32, written here from the published formulas only: no tree, no
 * optimizer and no kernel is shared. Only a micro-batch's gradient comes from the code under test.
 */
import assert from "node:assert/strict";
import { createHash } from "node:crypto";
import { before, describe, it } from "node:test";
import { openBackend } from "../../backends/index.js";
import { createGradients } from "../../compute/gradients/index.js";
import {
  attachMemory,
  createWorkerMemory,
  gradientAddresses,
  parseGradientFlip,
  viewElements,
  weightsAddresses,
} from "../../compute/index.js";
import { allArms, type TrainedState, trainInProcess } from "../../experiment/index.js";
import { createSampleOrder, type PreparedTask, prepareTask, resolveTask, type Task } from "../../tasks/index.js";

const STEPS = 20;

const perceptron = {
  name: "perceptron",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 32, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  loss: "softmaxCrossEntropy",
  dataset: { kind: "mnist", limit: 3000, testLimit: 500 },
  microBatchSize: 16,
  learningRate: 1e-3,
  weightDecay: 0.05,
  clipNorm: 1,
};
const normalised = {
  ...perceptron,
  name: "normalised",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 24 },
      { layer: "BatchNormalization", momentum: 0.9 },
      { layer: "Activation", activation: "relu" },
      { layer: "Dropout", rate: 0.25 },
      { layer: "Dense", units: 10 },
    ],
  },
  optimizer: { name: "invariant", rule: "exponential" },
  clipNorm: null,
};

const f = Math.fround;

/**
 * The sums over leaves [lo, hi): the left half has the largest power of two of leaves below their number. The elements
 * after the parameters are added unchanged.
 */
function sumsOf(
  gradients: Float32Array[],
  parameters: number,
  weights: PlainRule["weights"],
  lo = 0,
  hi = gradients.length,
): { s1: Float32Array; s2: Float32Array } {
  if (hi - lo === 1) {
    const [w1, w2] = weights?.(lo) ?? [1, 1];
    return {
      s1: gradients[lo].map((g, i) => (i < parameters ? f(w1 * g) : g)),
      s2: gradients[lo].map((g) => f(w2 * f(g * g))),
    };
  }
  let half = 1;
  while (half * 2 < hi - lo) half *= 2;
  const left = sumsOf(gradients, parameters, weights, lo, lo + half);
  const right = sumsOf(gradients, parameters, weights, lo + half, hi);
  return {
    s1: left.s1.map((x, i) => f(x + right.s1[i])),
    s2: left.s2.map((x, i) => f(x + right.s2[i])),
  };
}

interface PlainRule {
  readonly gamma1: number;
  readonly gamma2: number;
  /** The step's learning rate. */
  readonly eta: number;
  readonly epsilon: number;
  /** Whether v takes (S1/κ)², not S2/κ. */
  readonly squareOfMean: boolean;
  readonly shrink: number;
  /** The coefficients of leaf j in S1 and S2, if the sums replace Γ·S/κ. */
  readonly weights?: (j: number) => readonly [w1: number, w2: number];
}

/** The optimizers' table at κ, with a constant learning rate. */
function ruleOf({ optimizer, learningRate, beta1, beta2, epsilon, weightDecay }: Task, kappa: number): PlainRule {
  const name = "rule" in optimizer ? optimizer.rule : optimizer.name;
  const multiplied = { gamma1: kappa * (1 - beta1), gamma2: kappa * (1 - beta2) };
  const powers = { gamma1: 1 - beta1 ** kappa, gamma2: 1 - beta2 ** kappa };
  const shrinks = (eta: number) => ({ eta, shrink: 1 - eta * weightDecay });
  const shrinkEach = { eta: kappa * learningRate, shrink: (1 - learningRate * weightDecay) ** kappa };
  const [invariant, adam] = [
    { epsilon, squareOfMean: false },
    { epsilon, squareOfMean: true },
  ];
  switch (name) {
    case "linear":
      return { ...invariant, ...multiplied, ...shrinks(kappa * learningRate) };
    case "exponential":
      return { ...invariant, ...powers, ...shrinkEach };
    case "pathwise": {
      const left = (beta: number, j: number): number => f((1 - beta) * beta ** (kappa - 1 - j));
      return { ...invariant, ...powers, ...shrinkEach, weights: (j) => [left(beta1, j), left(beta2, j)] };
    }
    case "sqrt": {
      const scaled = "epsilon" in optimizer && optimizer.epsilon === "scaled";
      const rule = { ...adam, ...multiplied, ...shrinks(Math.sqrt(kappa) * learningRate) };
      return scaled ? { ...rule, epsilon: epsilon / Math.sqrt(kappa) } : rule;
    }
    case "linear-standard":
      return { ...adam, ...multiplied, ...shrinks(kappa * learningRate) };
    case "standard":
      return { ...adam, gamma1: 1 - beta1, gamma2: 1 - beta2, ...shrinks(learningRate) };
  }
}

interface PlainState {
  readonly theta: Float32Array;
  readonly m: Float32Array;
  readonly v: Float32Array;
  readonly hash: string;
}

/** Trains to the end of the task's samples with a constant learning rate. */
async function trainPlainly(task: Task, { data, built }: PreparedTask): Promise<PlainState> {
  const { layout, topology } = built;
  const backend = await openBackend("wasm");
  const memory = attachMemory(createWorkerMemory({ layout, threads: 1, leaves: 1 }));
  const { plan } = memory;
  const gradients = await createGradients({ task, topology, form: data.train, backend, memory });
  const order = createSampleOrder({ ...task, samples: data.train.samples });
  const trained = layout.parameters + layout.tail;

  const theta = built.initialWeights.slice();
  const m = new Float32Array(layout.parameters);
  const v = new Float32Array(layout.parameters);
  const tensorOf = Array.from({ length: trained }, (_, i) => layout.tensors.findLast(({ offset }) => offset <= i)!);
  let [c1, c2, n, steps] = [0, 0, 0, 0];

  while (n * task.microBatchSize < task.samples) {
    const kappa = Math.min(task.microBatchesPerStep as number, task.samples / task.microBatchSize - n);
    const { gamma1, gamma2, eta, epsilon, shrink, squareOfMean, weights } = ruleOf(task, kappa);
    const [mKeep, vKeep, decay] = [1 - gamma1, 1 - gamma2, 1 - shrink].map(f);
    const [mAdd, vAdd] = weights ? [1, 1] : [gamma1 / kappa, gamma2 / (squareOfMean ? kappa ** 2 : kappa)].map(f);
    viewElements(memory, weightsAddresses(plan), 0, 0, layout.length).set(theta);
    gradients.load();
    const leaves = Array.from({ length: kappa }, () => {
      const indices = order.samplesOf(n);
      gradients.gradient(
        { number: n, samples: indices.length, ...data.train.read(indices) },
        gradientAddresses(plan, 0),
      );
      n += 1;
      return viewElements(memory, gradientAddresses(plan, 0), 0, 0, trained).slice();
    });
    const { s1, s2 } = sumsOf(leaves, layout.parameters, weights);
    c1 += gamma1 * (1 - c1);
    c2 += gamma2 * (1 - c2);
    const [stepSize, vScale] = [f(eta / c1), f(1 / c2)];
    for (let i = 0; i < layout.parameters; i++) {
      m[i] = f(f(mKeep * m[i]) + f(mAdd * s1[i]));
      v[i] = f(f(vKeep * v[i]) + f(vAdd * (squareOfMean ? f(s1[i] * s1[i]) : s2[i])));
      const move = f(f(stepSize * m[i]) / f(f(Math.sqrt(f(v[i] * vScale))) + f(epsilon)));
      theta[i] = f(theta[i] - f(f((tensorOf[i].decay ? decay : 0) * theta[i]) + move));
    }
    for (let i = layout.parameters; i < trained; i++) {
      const keep = tensorOf[i].momentum! ** kappa;
      theta[i] = f(f(f(keep) * theta[i]) + f(f((1 - keep) / kappa) * s1[i]));
    }
    steps += 1;
  }
  gradients.dispose();
  const numbers = new Float64Array([steps, n, c1, c2]);
  const hash = createHash("sha256");
  for (const array of [theta, m, v, numbers]) hash.update(new Uint8Array(array.buffer));
  return { theta, m, v, hash: hash.digest("hex") };
}

const bitsOf = (array: Float32Array): Uint32Array => new Uint32Array(array.buffer, array.byteOffset, array.length);

/** Trains with the plain loops and with the code under test, and compares every bit. */
async function trainBoth(task: Task, prepared: PreparedTask): Promise<TrainedState> {
  const plain = await trainPlainly(task, prepared);
  const trained = await trainInProcess(task, { prepared, evaluate: false });
  for (const name of ["theta", "m", "v"] as const) {
    const [expected, actual] = [bitsOf(plain[name]), bitsOf(trained[name])];
    const different = expected.findIndex((word, i) => word !== actual[i]);
    assert.equal(different, -1, `${name}[${different}] differs`);
  }
  assert.ok(trained.theta.some((x, i) => x !== prepared.built.initialWeights[i]));
  assert.equal(trained.stateHash, plain.hash);
  return trained;
}

describe("trainInProcess()", { timeout: 120_000 }, () => {
  for (const input of [perceptron, normalised]) {
    describe(`of the ${input.name} task`, () => {
      let prepared: PreparedTask;
      const taskAt = (microBatchesPerStep: number, microBatches = STEPS * microBatchesPerStep): Task =>
        resolveTask(input.name, { ...input, microBatchesPerStep, samples: microBatches * input.microBatchSize });
      before(async () => {
        prepared = await prepareTask(taskAt(1));
      });

      for (const kappa of [1, 6, 7]) {
        it(`equals plain float32 loops bit by bit after ${STEPS} steps of ${kappa} micro-batches`, async () => {
          const task = taskAt(kappa);
          assert.equal((await trainBoth(task, prepared)).steps, STEPS);
        });
      }

      for (const arm of allArms()) {
        it(`equals them under ${arm.name}, a last step of fewer micro-batches included`, async () => {
          const task = { ...taskAt(6, 4 * 6 + 5), optimizer: arm.optimizer };
          assert.equal((await trainBoth(task, prepared)).steps, 5);
        });
      }

      it("has another hash if one bit of one gradient is flipped", async () => {
        const task = taskAt(6);
        const [plain, same, flipped] = [
          await trainInProcess(task, { steps: 3, prepared, evaluate: false }),
          await trainInProcess(task, { steps: 3, prepared, evaluate: false }),
          await trainInProcess(task, { steps: 3, prepared, evaluate: false, flip: parseGradientFlip("8:15000") }),
        ];
        assert.equal(same.stateHash, plain.stateHash);
        assert.notEqual(flipped.stateHash, plain.stateHash);
      });
    });
  }
});
