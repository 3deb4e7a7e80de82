/** What this machine can compute with, as data: `isobatch doctor --json` prints it as it is. */
import { cpus } from "node:os";
import { planWorkers } from "../../api/run/worker-plan.js";
import { probeBackends } from "../../backends/index.js";
import {
  type BackendName,
  coresText,
  cudaLibraryProblems,
  DRIVER_VERSION_MIN,
  defaultComputeThreads,
  driverLibraryProblems,
  type Graphics,
  gpuNamed,
  graphicsProblem,
  nearCores,
  readBackendSettings,
  readGraphics,
  visibleGpus,
} from "../../backends/machine/index.js";
import { messageOf } from "../../shared/errors.js";
import { type MachineShare, machineShare } from "../../shared/machine/index.js";
import {
  readInstallation,
  type TensorFlowInstallation,
  type TensorFlowVariant,
  tensorFlowFolder,
} from "../../shared/native/installation.js";
import { loadProcessAddon } from "../../shared/native/process-addon.js";
import { version } from "../../shared/version.js";
import { type CudaLibraries, readCudaLibraries } from "./libraries.js";
import { type SharedMemoryReport, trySharedMemory } from "./shared-memory.js";

export interface DoctorReport extends MachineShare {
  /** The memory through which processes on this machine can share numbers. */
  readonly sharedMemory: SharedMemoryReport;
  readonly isobatch: string;
  readonly node: string;
  readonly platform: string;
  readonly architecture: string;
  readonly processor: string;
  readonly nvidia: {
    readonly driver: string | null;
    readonly driverMin: string;
    /** Why no GPU can be used; null if there is no known reason. */
    readonly problem: string | null;
    /** CUDA_VISIBLE_DEVICES; null if it isn't set. */
    readonly visibleDevices: string | null;
    /** The GPUs that a worker may use; `--gpu` is an index into this list. */
    readonly gpus: readonly GpuReport[];
    /** The number of GPUs that the driver finds. */
    readonly gpusFound: number;
  };
  readonly tensorflow: {
    readonly folder: string;
    readonly installations: readonly Installation[];
  };
  /** In the order in which a worker tries them. */
  readonly backends: readonly BackendReport[];
  /** What `isobatch run` starts here with no options but --backend: that of the first backend that works. */
  readonly run: { readonly backend: BackendName; readonly workers: number; readonly computeThreads: number } | null;
}

export interface GpuReport {
  readonly model: string | null;
  readonly name: string;
  /** The cores that its worker runs on; null where all cores are equally near. */
  readonly nearCores: string | null;
}

export interface Installation {
  readonly variant: TensorFlowVariant;
  /** Why it can't be used; null if it can. */
  readonly problem: string | null;
  readonly version?: string;
  readonly libraryFolder?: string;
  readonly python?: string;
  readonly binding?: string;
  readonly libraries?: CudaLibraries;
  /** What prevents the use of a GPU with it, each with its remedy. */
  readonly problems?: readonly string[];
}

export interface BackendReport {
  readonly name: BackendName;
  readonly works: boolean;
  /** Why it doesn't; empty if it does. */
  readonly reason: string;
  readonly device: string;
  readonly version: string | null;
  /** What else its results depend on, bit for bit. */
  readonly flags: string | null;
  readonly determinism: string | null;
  /** The precisions of matrix products, and how each is computed. */
  readonly precisions: string | null;
  /** Threads within an operation, for each compute thread. */
  readonly intraOpThreads: number | null;
  /** The default of a worker that has this machine to itself. */
  readonly computeThreads: number;
}

/** @param variables the process's environment, before any of it is changed for TensorFlow. */
export async function collectReport(variables: Readonly<NodeJS.ProcessEnv>): Promise<DoctorReport> {
  const graphics = readGraphics();
  const visibleDevices = variables.CUDA_VISIBLE_DEVICES;
  const machine = machineShare();
  const { cores } = machine;
  const folder = tensorFlowFolder(variables);
  const backends = (await probeBackends(readBackendSettings(variables))).map((probe): BackendReport => {
    const { name, available, reason, device, version = null, flags = null } = probe;
    const { determinism = null, intraOpThreads = null, precisions = null } = probe;
    const computeThreads = defaultComputeThreads(name, cores);
    const bits = { flags, determinism, precisions };
    return { name, works: available, reason, device, version, ...bits, intraOpThreads, computeThreads };
  });
  const first = backends.find(({ works }) => works);
  return {
    isobatch: version,
    node: process.version,
    platform: process.platform,
    architecture: process.arch,
    processor: cpus()[0]?.model.trim() || "unknown",
    ...machine,
    sharedMemory: await trySharedMemory(variables),
    nvidia: {
      driver: graphics.driverVersion ?? null,
      driverMin: DRIVER_VERSION_MIN,
      problem: graphicsProblem(graphics) ?? null,
      visibleDevices: visibleDevices ?? null,
      gpus: visibleGpus(graphics, visibleDevices).map((name) => readGpu(graphics, name)),
      gpusFound: graphics.gpus.length,
    },
    tensorflow: {
      folder,
      installations: (["cpu", "cuda"] as const).map((variant) => readVariant(folder, variant, graphics)),
    },
    backends,
    run: first === undefined ? null : runDefaults(first.name),
  };

  function runDefaults(backend: BackendName): NonNullable<DoctorReport["run"]> {
    const workers = planWorkers({ backend, cores, graphics, visibleDevices }).length;
    return { backend, workers, computeThreads: defaultComputeThreads(backend, cores, workers) };
  }
}

function readGpu(graphics: Graphics, name: string): GpuReport {
  const gpu = gpuNamed(graphics, name);
  const near = gpu && nearCores(gpu.address);
  return { model: gpu?.model ?? null, name, nearCores: near === undefined ? null : coresText(near) };
}

function readVariant(folder: string, variant: TensorFlowVariant, graphics: Graphics): Installation {
  try {
    const installation = readInstallation(folder, variant);
    if (installation === undefined) {
      const command = `isobatch tensorflow install${variant === "cuda" ? " --cuda" : ""}`;
      return { variant, problem: `not installed; ${command} installs it` };
    }
    const { tensorflowVersion, libraryFolder, python, binding } = installation;
    const libraries = readCudaLibraries(libraryFolder);
    const problems = variant === "cuda" ? cudaProblems(installation, graphics) : [];
    return { variant, problem: null, version: tensorflowVersion, libraryFolder, python, binding, libraries, problems };
  } catch (error) {
    return { variant, problem: messageOf(error) };
  }
}

function cudaProblems(installation: TensorFlowInstallation, { driverVersion }: Graphics): string[] {
  const addon = loadProcessAddon(installation);
  if (addon === undefined)
    return ["it was installed by an older version of Isobatch; run isobatch tensorflow install --cuda again"];
  const ofDriver = driverVersion === undefined ? [] : driverLibraryProblems(addon);
  return [...cudaLibraryProblems(installation, addon), ...ofDriver];
}
