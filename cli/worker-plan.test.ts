import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Graphics } from "../backends/tensorflow/graphics.js";
import { planWorkers, type WorkerPlanOptions } from "./worker-plan.js";

const graphics: Graphics = {
  driverVersion: "580.65.06",
  gpus: ["GPU-a", "GPU-b", "GPU-c"].map((uuid, i) => ({ model: "NVIDIA H100", uuid, address: `0000:0${i}:00.0` })),
};
const plan = (options: Partial<WorkerPlanOptions>) =>
  planWorkers({ backend: undefined, cores: 8, graphics, visibleDevices: undefined, ...options });

describe("planWorkers()", () => {
  it("starts two workers, which share the cores, and leaves the choice of a backend to them", () => {
    const worker = { args: ["--compute-threads", "4"], env: {} };
    assert.deepEqual(plan({}), [worker, worker]);
    assert.deepEqual(plan({ workers: 20 })[19].args, ["--compute-threads", "1"]);
  });

  it("leaves the GPUs out where workers compute on processors", () => {
    const [worker] = plan({ backend: "tfjs-node", workers: 1 });
    assert.deepEqual(worker, { args: ["--compute-threads", "8", "--backend", "tfjs-node"], env: {} });
  });

  it("starts a worker for each GPU, on one thread, each with a GPU of its own", () => {
    const workers = plan({ backend: "tfjs-node-gpu" });
    assert.deepEqual(
      workers.map(({ env }) => env.CUDA_VISIBLE_DEVICES),
      ["GPU-a", "GPU-b", "GPU-c"],
    );
    for (const { args } of workers) assert.deepEqual(args, ["--compute-threads", "1", "--backend", "tfjs-node-gpu"]);
    assert.deepEqual(plan({ backend: "tfjs-node-gpu", computeThreads: 2 })[0].args.slice(0, 2), [
      "--compute-threads",
      "2",
    ]);
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
        for (const { args } of planned) assert.deepEqual(args.slice(0, 2), ["--compute-threads", "1"]);
      }
      const onCpus = plan({ backend: "tfjs-node", graphics: machine, cores: 3 });
      assert.deepEqual(
        onCpus.map(({ args, env }) => [args[1], env]),
        [
          ["1", {}],
          ["1", {}],
        ],
      );
    }
  });

  it("refuses more workers than GPUs, unless CUDA_VISIBLE_DEVICES says what they share", () => {
    assert.throws(() => plan({ backend: "tfjs-node-gpu", workers: 4 }), { code: "invalid_input" });
    assert.deepEqual(
      plan({ backend: "tfjs-node-gpu", workers: 2, visibleDevices: "1" }).map(({ env }) => env.CUDA_VISIBLE_DEVICES),
      ["1", "1"],
    );
  });
});
