/**
 * Trains a task in this process and this thread: no cluster, no wire, no leases, but the very gradients, sums, tree,
 * coefficients and kernels that a cluster uses, so it leaves the very same bits. It is the yardstick of the cluster's
 * tests, and what experiments run on.
 */
import { leafWeights, stepCoefficients } from "../shared/optimizer/index.js";
import { stateHash } from "../shared/state-hash.js";
import { createSampleOrder, microBatchesOf, prepareTask, } from "../tasks/index.js";
import { openBackend } from "../worker/backends/index.js";
import { attachMemory, createFold, createGradients, createSums, createWorkerMemory, gradientAddresses, NonFiniteError, slotsNeeded, sumAddresses, WHOLE, weightsAddresses, } from "../worker/compute/index.js";
import { applyStep, readVector, writeVector } from "./state.js";
/** @throws {NonFiniteError} if the training diverges. */
export async function trainInProcess(task, options = {}) {
    const prepared = options.prepared ?? (await prepareTask(task));
    const { data, built } = prepared;
    const { layout, topology } = built;
    const backend = await openBackend(options.backend ?? "wasm");
    const workerMemory = createWorkerMemory({ layout, threads: 1, leaves: task.microBatchesPerStep });
    const [moments, ...slots] = await workerMemory.takeSlots(1 + slotsNeeded(0, task.microBatchesPerStep));
    const memory = attachMemory(workerMemory);
    const gradients = await createGradients({ task, topology, form: data.train, backend, memory, flip: options.flip });
    try {
        writeVector(memory, weightsAddresses(memory.plan), built.initialWeights);
        gradients.load();
        return run(task, prepared, options, memory, gradients, moments, slots);
    }
    finally {
        gradients.dispose();
    }
}
function run(task, { data, built: { layout } }, options, memory, gradients, moments, slots) {
    const { plan } = memory;
    const { microBatchSize } = task;
    const sums = createSums(memory, 0);
    const order = createSampleOrder({ seed: task.seed, microBatchSize, samples: data.train.samples });
    const batchOf = (n) => readBatch(data.train, n, order.samplesOf(n));
    const microBatchesEnd = microBatchesOf(task);
    const losses = [];
    const evaluations = [];
    let c1 = 0;
    let c2 = 0;
    let step = 0;
    const evaluate = () => {
        if (options.evaluate === false || data.test === undefined)
            return;
        const samples = losses.length * microBatchSize;
        evaluations.push({ step, samples, ...evaluateOn(data.test, task.evaluationBatchSize, gradients) });
    };
    while (losses.length < microBatchesEnd && step < (options.steps ?? Number.POSITIVE_INFINITY)) {
        const startedAt = performance.now();
        const firstMicroBatch = losses.length;
        const microBatches = Math.min(task.microBatchesPerStep, microBatchesEnd - firstMicroBatch);
        const coefficients = stepCoefficients({
            optimizer: task.optimizer,
            hyperparameters: task,
            schedule: task.schedule,
            microBatchSize,
            firstMicroBatch,
            microBatches,
            c1,
            c2,
        });
        const stepLosses = [];
        const root = foldStep(task, plan, slots, sums, firstMicroBatch, microBatches, (n, target) => {
            stepLosses.push(gradients.gradient(batchOf(n), target));
        });
        if (!sums.nodeFinite(root, WHOLE)) {
            throw new NonFiniteError(firstMicroBatch, `The sums of step ${step} overflow float32.`);
        }
        applyStep(memory, moments, root.slot, microBatches, coefficients);
        gradients.load();
        losses.push(...stepLosses);
        const evaluationsBefore = Math.floor((firstMicroBatch * microBatchSize) / task.evaluateEverySamples);
        const samples = losses.length * microBatchSize;
        ({ c1, c2 } = coefficients);
        step += 1;
        const loss = stepLosses.reduce((sum, value) => sum + value, 0) / microBatches;
        options.onStep?.({ step, samples, loss, computeMs: performance.now() - startedAt });
        if (Math.floor(samples / task.evaluateEverySamples) > evaluationsBefore)
            evaluate();
    }
    if (evaluations.at(-1)?.step !== step)
        evaluate();
    const theta = readVector(memory, weightsAddresses(plan), layout.length);
    const m = readVector(memory, sumAddresses(plan, moments, "s1"), layout.parameters);
    const v = readVector(memory, sumAddresses(plan, moments, "s2"), layout.parameters);
    return {
        stateHash: stateHash({ ...bytesOf({ theta, m, v }), step, microBatches: losses.length, c1, c2 }),
        steps: step,
        samples: losses.length * microBatchSize,
        theta,
        m,
        v,
        losses,
        evaluations,
    };
}
/** Folds all of a step's leaves; returns the root with both sums, also where it is the only leaf. */
function foldStep(task, plan, slots, sums, firstMicroBatch, microBatches, computeGradient) {
    const weights = leafWeights(task.optimizer, task, microBatches);
    const leaves = weights && { first: 0, ...weights };
    const fold = createFold(0, microBatches, microBatches, slots);
    for (let leaf = 0; leaf < microBatches; leaf++) {
        const { target } = fold;
        const addresses = target === "gradient" ? gradientAddresses(plan, 0) : sumAddresses(plan, target.slot, "s1");
        computeGradient(firstMicroBatch + leaf, addresses);
        for (const operation of fold.accept())
            sums.perform(operation, leaves, WHOLE);
    }
    const [root] = fold.nodes();
    if (microBatches === 1)
        sums.perform({ kind: "square", slot: root.slot, leaf: 0 }, leaves, WHOLE);
    return root;
}
/** Each array as its bytes, in one slice. */
function bytesOf(arrays) {
    const entries = Object.entries(arrays);
    return Object.fromEntries(entries.map(([name, array]) => [name, [new Uint8Array(array.buffer)]]));
}
function readBatch(dataset, number, indices) {
    return { number, samples: indices.length, ...dataset.read(indices) };
}
/** The mean loss and the accuracy over a whole data set, batches added in order in float64. */
function evaluateOn(dataset, batchSize, gradients) {
    let [lossSum, correct] = [0, 0];
    for (let start = 0; start < dataset.samples; start += batchSize) {
        const indices = Uint32Array.from({ length: Math.min(batchSize, dataset.samples - start) }, (_, i) => start + i);
        const batch = gradients.evaluate(readBatch(dataset, start / batchSize, indices));
        lossSum += batch.lossSum;
        correct += batch.correct;
    }
    return { loss: lossSum / dataset.samples, accuracy: correct / dataset.samples };
}
