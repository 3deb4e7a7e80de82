/**
 * The native backends: TensorFlow through the binding that `isobatch tensorflow install` has compiled. `tfjs-node`
 * computes on CPUs, `tfjs-node-gpu` on CUDA; the JavaScript of both is the same, and so is tfjs's name for them.
 *
 * A process can hold only one libtensorflow, so both use the same one once it is loaded; on a machine that has only
 * CUDA's, `tfjs-node` is that with its GPUs hidden.
 */
import { cpus } from "node:os";
import { IsobatchError } from "../../shared/errors.js";
import type { Precision } from "../../shared/precision.js";
import { backend, type KernelBackend } from "../../tasks/tfjs/core.js";
import type { Compiler } from "../compiler.js";
import type { BackendDescription, BackendImplementation } from "../implementation.js";
import {
  type BackendSettings,
  findInstallation,
  gpuNamed,
  type LibraryVersion,
  loadedVersions,
  pinnedGpu,
  prepareProcess,
  readGraphics,
  type TensorFlowBackendName,
  usesOneDnn,
  versionsText,
  visibleDevices,
} from "../machine/index.js";
import { registerNativeKernels } from "./kernels.js";
import { type Loaded, loadTensorFlow } from "./load.js";
import { loadNativePackage, type NativeBackend } from "./native-package.js";
import { PRECISIONS_ON, type ProductDevice, productsOn } from "./precision.js";
import { createCompiler, type ProgramSettings, programSettings, type SessionDevices } from "./program/index.js";

export type { NativeBackend } from "./native-package.js";

interface Opened extends Loaded {
  readonly settings: BackendSettings;
}

let opened: Opened | undefined;

/**
 * A native backend.
 * @param name tfjs registers both as "tensorflow": the package's kernels are registered under that name
 */
export const tensorFlow = (name: TensorFlowBackendName): BackendImplementation => ({
  registered: "tensorflow",
  prepare: (settings) => prepare(name, settings),
  create,
  complete: registerNativeKernels,
  describe,
  compiler: () => compiler(),
  prepareProducts,
});

/** Loads TensorFlow. @throws {IsobatchError} `unavailable` with the reason why it can't be loaded */
async function prepare(name: TensorFlowBackendName, settings: BackendSettings): Promise<void> {
  if (opened?.name === name) {
    opened = { ...opened, settings };
    return;
  }
  const unavailable = (why: string): never => {
    throw new IsobatchError("unavailable", `The backend ${name} is unavailable: ${why}.`);
  };
  if (opened !== undefined) unavailable(`this process has loaded TensorFlow as ${opened.name} already`);
  const installation = findInstallation(name, settings);
  if (typeof installation === "string") return unavailable(installation);
  prepareProcess(name, settings);
  opened = { ...loadTensorFlow(name, installation, settings), settings };
}

/** Creates the tfjs backend, once TensorFlow is loaded. */
function create(): KernelBackend {
  const { installation, binding } = opened!;
  return loadNativePackage(installation.packageFolder).createBackend(binding);
}

/**
 * The compiler of the open backend; undefined if the installation has none, or the settings turn it off.
 * @param devices the devices of its sessions; only tests choose others than the default.
 * @param settings by default those that the backend was opened with; only tests choose others.
 */
export function compiler(devices?: SessionDevices, settings = settingsNow()): Compiler | undefined {
  const { sessions } = opened!;
  if (sessions === undefined || !settings.compiled) return undefined;
  return createCompiler(() => backend() as NativeBackend, sessions, settings, devices);
}

const settingsNow = (): ProgramSettings => programSettings(opened!.settings.program, opened!.name === "tfjs-node-gpu");

/** The programs' part of the numerics class, as the first items of a list. */
function programNumerics(): string {
  const { sessions, name } = opened!;
  const { numerics, bits } = settingsNow();
  // Without sessions a gradient's bits are the operations'.
  if (sessions === undefined) return name === "tfjs-node-gpu" ? "no program, " : "";
  if (numerics === undefined) return "";
  // Programs of an older installation leave clipping and sums to the host, which does not flush small numbers to 0.
  return `${numerics}${bits === "program" && sessions.extend === undefined ? " without sums" : ""}, `;
}

/** How the device's products are computed; see precision.ts. */
const productDevice = ({ name, switchTf32 }: Loaded): ProductDevice =>
  name === "tfjs-node" ? "cpu" : switchTf32 === undefined ? "gpu without a switch" : "gpu";

/**
 * Prepares the device for products of this precision, until it is asked for another.
 * @returns the bits of mantissa that factors must be rounded to; undefined: they are not rounded
 */
function prepareProducts(precision: Precision): number | undefined {
  const { tf32, bits } = productsOn(productDevice(opened!), precision);
  opened!.switchTf32?.(tf32);
  return bits;
}

function describe(): BackendDescription {
  const { name, installation, binding, sessions, addon, switchTf32 } = opened!;
  const slow = sessions?.assign === undefined ? "; faster after isobatch tensorflow install" : "";
  const version = `${installation.packageVersion} on TensorFlow ${binding.TF_Version}`;
  const oneDnn = usesOneDnn() ? "oneDNN" : "no oneDNN";
  const threads = { intraOpThreads: 1, precisions: PRECISIONS_ON[productDevice(opened!)] };
  if (name === "tfjs-node-gpu") {
    const gpu = gpuName();
    const { driverVersion } = readGraphics();
    const versions = loadedVersions(addon, installation.libraryFolder);
    return {
      ...threads,
      version,
      flags: `${programNumerics()}deterministic, ${switchTf32 === undefined ? "no TF32, " : ""}${gpu}, driver ${driverVersion}, ${versionsText(versions)}`,
      device: `${gpu} with CUDA${limitText()}${slow}${unknownText(versions)}`,
      determinism: "deterministic operations, no autotuning: the same bits on the same model of GPU",
    };
  }
  const processor = cpus()[0]?.model.trim() || process.arch;
  return {
    ...threads,
    version,
    // Which instructions and block sizes are used is decided by the processor's model.
    flags: `${programNumerics()}1 intra-op thread, ${oneDnn}, ${processor}`,
    device: `TensorFlow ${binding.TF_Version} on ${processor}, one thread${slow}`,
    determinism: `deterministic operations, one thread, ${oneDnn}: the same bits on the same model of processor`,
  };
}

function limitText(): string {
  const { gpuMemoryMiB } = opened!.settings;
  return gpuMemoryMiB === undefined ? "" : `, at most ${gpuMemoryMiB / 1_024} GiB of its memory`;
}

/** What follows from unknown versions. */
function unknownText(versions: readonly LibraryVersion[]): string {
  const unknown = versions.flatMap(({ name, version }) => (version === undefined ? [name] : []));
  if (unknown.length === 0) return "";
  return `; the version of ${unknown.join(" and of ")} is unknown, so workers with another one can't be distinguished`;
}

/** The model of the GPU that this process sees, from the driver's files. */
function gpuName(): string {
  const graphics = readGraphics();
  const pinned = pinnedGpu(graphics, visibleDevices());
  const gpu = pinned === undefined ? undefined : gpuNamed(graphics, pinned);
  // For an instance the driver's files report neither its GPU nor its size, on which its bits depend; its name
  // identifies both.
  return gpu?.model ?? (pinned?.startsWith("MIG-") ? `the instance ${pinned}` : "a GPU");
}
