import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graphics } from "../../backends/machine/index.js";
import { planWorkers, type WorkerPlanOptions } from "./worker-plan.js";

const graphics: Graphics = {
  driverVersion: "580.65.06",
  gpus: ["GPU-a", "GPU-b", "GPU-c"].map((uuid, i) => ({ model: "NVIDIA H100", uuid, address: `0000:0${i}:00.0` })),
};
const plan = (options: Partial<WorkerPlanOptions>) =>
  planWorkers({ backend: undefined, cores: 8, graphics, visibleDevices: undefined, ...options });

describe("planWorkers()", () => {
  it("starts two workers, which share the cores, and leaves the choice of a backend to them", () => {
    const worker = { backend: undefined, computeThreads: 4, visibleDevices: undefined };
    assert.deepEqual(plan({}), [worker, worker]);
    assert.equal(plan({ workers: 20 })[19].computeThreads, 1);
  });

  it("leaves the GPUs out where workers compute on processors", () => {
    const [worker] = plan({ backend: "tfjs-node", workers: 1 });
    assert.deepEqual(worker, { backend: "tfjs-node", computeThreads: 8, visibleDevices: undefined });
  });

  it("starts a worker for each GPU, on one thread, and gives each one GPU", () => {
    const workers = plan({ backend: "tfjs-node-gpu" });
    assert.deepEqual(
      workers.map(({ visibleDevices }) => visibleDevices),
      ["GPU-a", "GPU-b", "GPU-c"],
    );
    for (const { backend, computeThreads } of workers) {
      assert.deepEqual([backend, computeThreads], ["tfjs-node-gpu", 1]);
    }
    assert.equal(plan({ backend: "tfjs-node-gpu", computeThreads: 2 })[0].computeThreads, 2);
  });

  it("starts a worker for each GPU however few cores there are, and shares the cores of a quota among the others", () => {
    const twoGpus = { ...graphics, gpus: graphics.gpus.slice(0, 2) };
    const oneGpu = { ...graphics, gpus: graphics.gpus.slice(0, 1) };
    for (const [machine, workers] of [
      [twoGpus, 2],
      [oneGpu, 1],
    ] as const) {
      for (const cores of [1, 2, 8]) {
        const planned = plan({ backend: "tfjs-node-gpu", graphics: machine, cores });
        assert.equal(planned.length, workers);
        for (const { computeThreads } of planned) assert.equal(computeThreads, 1);
      }
      const onCpus = plan({ backend: "tfjs-node", graphics: machine, cores: 3 });
      assert.deepEqual(
        onCpus.map(({ computeThreads, visibleDevices }) => [computeThreads, visibleDevices]),
        [
          [1, undefined],
          [1, undefined],
        ],
      );
    }
  });

  it("refuses more workers than GPUs, unless CUDA_VISIBLE_DEVICES says what they share", () => {
    assert.throws(() => plan({ backend: "tfjs-node-gpu", workers: 4 }), { code: "invalid_input" });
    assert.deepEqual(
      plan({ backend: "tfjs-node-gpu", workers: 2, visibleDevices: "1" }).map((worker) => worker.visibleDevices),
      ["1", "1"],
    );
  });
});
