import assert from "node:assert/strict";
import { mkdirSync, mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import type { DoctorReport } from "./collect.js";
import { describeReport } from "./describe.js";
import { describeBuild, readCudaLibraries } from "./libraries.js";

const works = { works: true, reason: "", intraOpThreads: 1, computeThreads: 1 };

/** A machine with two GPUs, one of which is hidden. */
const report: DoctorReport = {
  ...{ isobatch: "0.1.0", node: "v22.1.0", platform: "linux", architecture: "x64", processor: "AMD EPYC", cores: 16 },
  ...{ memoryBytes: 128 * 2 ** 30, freeMemoryBytes: 100 * 2 ** 30 },
  limits: { cpus: null, memoryBytes: null },
  sharedMemory: {
    ...{ folder: "/dev/shm", problem: null, freeBytes: 20 * 2 ** 30, totalBytes: 64 * 2 ** 30, mapped: true },
  },
  nvidia: {
    ...{ driver: "580.65.06", driverMin: "525.60.13", problem: null, visibleDevices: "1", gpusFound: 2 },
    gpus: [{ model: "NVIDIA H100 80GB HBM3", name: "1", nearCores: "16-31" }],
  },
  tensorflow: {
    folder: "/tf",
    installations: [
      { variant: "cpu", problem: "not installed; isobatch tensorflow install installs it" },
      {
        ...{ variant: "cuda", problem: null, version: "2.21.0", libraryFolder: "/tf/lib", python: "/tf/python" },
        libraries: { cuda: "12.5.82", cudnn: "9.3.0.75", cublas: null, builtFor: "CUDA 12.5.1, cuDNN 9" },
        problems: [
          "libcusolver.so.11 is missing; run this",
          "libnvidia-ml.so.1 of the NVIDIA driver is missing; do that",
        ],
      },
    ],
  },
  backends: [
    {
      ...{ ...works, name: "tfjs-node-gpu", device: "NVIDIA H100 80GB HBM3 with CUDA" },
      ...{ version: "4.22.0 on TensorFlow 2.21.0", flags: "deterministic", determinism: "no autotuning" },
      precisions: "float32; tf32 on tensor cores",
    },
    {
      ...{ ...works, works: false, name: "tfjs-node", reason: "TensorFlow is not installed", device: "" },
      ...{ version: null, flags: null, determinism: null, precisions: null },
    },
  ],
  run: { backend: "tfjs-node-gpu", workers: 1, computeThreads: 1 },
};

describe("describeReport()", () => {
  it("shows GPUs, libraries, threads and determinism, and why other backends do not work", () => {
    assert.deepEqual(describeReport(report).slice(5), [
      "",
      "NVIDIA",
      "  driver                580.65.06 (525.60.13 or newer is needed)",
      '  CUDA_VISIBLE_DEVICES  "1": 1 of 2',
      "  GPU 0                 NVIDIA H100 80GB HBM3  1  its worker runs on the near cores 16-31",
      "",
      "TensorFlow",
      "  for CPUs: not installed; isobatch tensorflow install installs it",
      "  for CUDA: 2.21.0, built for CUDA 12.5.1, cuDNN 9",
      "    library     /tf/lib",
      "    python      /tf/python",
      "    next to it  CUDA 12.5.82, cuDNN 9.3.0.75",
      "    problem     libcusolver.so.11 is missing; run this",
      "    problem     libnvidia-ml.so.1 of the NVIDIA driver is missing; do that",
      "",
      "backends, in the order in which a worker tries them",
      "  tfjs-node-gpu  works          NVIDIA H100 80GB HBM3 with CUDA",
      "                 version        4.22.0 on TensorFlow 2.21.0",
      "                 threads        1 per operation; 1 compute thread for a worker that has the machine to itself",
      "                 determinism    no autotuning",
      "                 precision      float32; tf32 on tensor cores",
      "                 numerics       deterministic",
      "  tfjs-node      does not work  TensorFlow is not installed",
      "",
      "isobatch run uses tfjs-node-gpu: 1 worker with 1 compute thread.",
    ]);
  });
});

describe("describeReport() in a container", () => {
  it("shows what its control group sets", () => {
    const limits = { cpus: 1.5, memoryBytes: 2 ** 30 };
    const small = { ...report, cores: 2, memoryBytes: 2 ** 30, freeMemoryBytes: 2 ** 29, limits };
    assert.deepEqual(describeReport(small).slice(2, 4), [
      "cores     2 (AMD EPYC); its control group sets a quota of 1.5 CPUs",
      "memory    1.0 GiB, 0.5 GiB free; its control group sets that limit",
    ]);
  });

  it("shows what processes can share, how, and why not", () => {
    const shown = (sharedMemory: Partial<DoctorReport["sharedMemory"]>): string =>
      describeReport({ ...report, sharedMemory: { ...report.sharedMemory, ...sharedMemory } })[4];
    assert.equal(shown({}), "shared    /dev/shm, 20.0 GiB of 64.0 GiB free");
    assert.equal(
      shown({ mapped: false }),
      "shared    /dev/shm, 20.0 GiB of 64.0 GiB free; copied, not mapped: isobatch tensorflow install adds the code that maps it",
    );
    assert.equal(shown({ problem: "EACCES" }), "shared    unavailable in this folder: EACCES");
  });
});

describe("readCudaLibraries()", () => {
  it("takes versions from what pip has installed, whatever CUDA version is in its name", () => {
    const place = mkdtempSync(join(tmpdir(), "isobatch-pip-"));
    try {
      for (const name of ["nvidia_cudnn_cu12-9.3.0.75.dist-info", "nvidia_cuda_runtime-13.0.48.dist-info", "numpy"]) {
        mkdirSync(join(place, name));
      }
      const found = readCudaLibraries(join(place, "tensorflow"));
      assert.deepEqual(found, { cuda: "13.0.48", cudnn: "9.3.0.75", cublas: null, builtFor: null });
    } finally {
      rmSync(place, { recursive: true });
    }
  });

  it("says what TensorFlow was built for", () => {
    assert.equal(describeBuild({ cuda: "12.5.1", cudnn: "9" }), "CUDA 12.5.1, cuDNN 9");
    assert.equal(describeBuild({ cuda: "12.5.1", cudnn: undefined }), "CUDA 12.5.1, cuDNN of an unknown version");
  });

  it("finds nothing in an empty folder", () => {
    const none = { cuda: null, cudnn: null, cublas: null, builtFor: null };
    assert.deepEqual(readCudaLibraries("/nowhere/tensorflow"), none);
  });
});
