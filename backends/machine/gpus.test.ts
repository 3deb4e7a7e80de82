import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { gpuNamed, gpusForWorkers, pinnedGpu, visibleGpus } from "./gpus.js";
import type { Graphics } from "./graphics.js";

const machine = (...uuids: (string | undefined)[]): Graphics => ({
  driverVersion: "580.65.06",
  gpus: uuids.map((uuid, i) => ({ model: `GPU model ${i}`, uuid, address: `0000:0${i}:00.0` })),
});
const four = machine("GPU-aa", "GPU-ab", "GPU-c", "GPU-d");

describe("visibleGpus()", () => {
  it("names all by their UUIDs, or by their numbers where the driver does not tell", () => {
    assert.deepEqual(visibleGpus(four, undefined), ["GPU-aa", "GPU-ab", "GPU-c", "GPU-d"]);
    assert.deepEqual(visibleGpus(machine("GPU-aa", undefined), undefined), ["GPU-aa", "1"]);
    assert.deepEqual(visibleGpus(machine(), undefined), []);
  });

  it("uses CUDA_VISIBLE_DEVICES up to the first name that is not a GPU, as CUDA does", () => {
    assert.deepEqual(visibleGpus(four, "2, 0"), ["2", "0"]);
    assert.deepEqual(visibleGpus(four, "1,-1,2"), ["1"]);
    assert.deepEqual(visibleGpus(four, "3,4,0"), ["3"]);
    assert.deepEqual(visibleGpus(four, "MIG-5c,GPU-d"), ["MIG-5c", "GPU-d"]);
    for (const none of ["", "-1", "none", "NoDevFiles"]) assert.deepEqual(visibleGpus(four, none), []);
  });
});

describe("pinnedGpu()", () => {
  it("is the first that is visible, or the one asked for among them", () => {
    assert.equal(pinnedGpu(four, undefined), "GPU-aa");
    assert.equal(pinnedGpu(four, undefined, 3), "GPU-d");
    assert.equal(pinnedGpu(four, "2,1", 1), "1");
    assert.equal(pinnedGpu(four, "-1"), undefined);
    assert.equal(pinnedGpu(machine(), undefined), undefined);
  });

  it("refuses a number that there is not, and says which there are", () => {
    assert.throws(() => pinnedGpu(four, undefined, 4), { message: /^--gpu is 4, but of the GPUs there are 0 to 3;/ });
    assert.throws(() => pinnedGpu(four, "2", 1), { message: /CUDA_VISIBLE_DEVICES \("2"\) leaves there are 0 to 0;/ });
    assert.throws(() => pinnedGpu(machine(), undefined, 0), { message: /there is none/ });
  });
});

describe("gpusForWorkers()", () => {
  it("gives each worker its own GPU, and by default each GPU one worker", () => {
    assert.deepEqual(gpusForWorkers(four, undefined, undefined), ["GPU-aa", "GPU-ab", "GPU-c", "GPU-d"]);
    assert.deepEqual(gpusForWorkers(four, undefined, 2), ["GPU-aa", "GPU-ab"]);
    assert.deepEqual(gpusForWorkers(four, "3,1", undefined), ["3", "1"]);
  });

  it("refuses more workers than GPUs", () => {
    assert.throws(() => gpusForWorkers(four, undefined, 5), {
      code: "invalid_input",
      message: /^--workers is 5, but this machine has 4 GPUs, and a worker takes a whole one; .*CUDA_VISIBLE_DEVICES/,
    });
    assert.throws(() => gpusForWorkers(four, "-1", 1), { message: /this machine has 0 GPUs/ });
  });

  it("lets workers share the GPUs of CUDA_VISIBLE_DEVICES, in turn", () => {
    assert.deepEqual(gpusForWorkers(four, "0,2", 5), ["0", "2", "0", "2", "0"]);
  });
});

describe("gpuNamed()", () => {
  it("finds a GPU by number, UUID or the beginning of one", () => {
    assert.equal(gpuNamed(four, "2")?.model, "GPU model 2");
    assert.equal(gpuNamed(four, "GPU-ab")?.model, "GPU model 1");
    assert.equal(gpuNamed(four, "GPU-a"), undefined);
    assert.equal(gpuNamed(four, "MIG-5c"), undefined);
  });
});
