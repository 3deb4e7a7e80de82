import { IsobatchError } from "../shared/errors.js";
import type { Numerics } from "../shared/numerics.js";
import { MANTISSA_BITS, type Precision } from "../shared/precision.js";
import {
  enableProdMode,
  findBackendFactory,
  type KernelBackend,
  registerBackend,
  removeBackend,
  setBackend,
} from "../tasks/tfjs/core.js";
import type { Compiler } from "./compiler.js";
import * as cpu from "./cpu/index.js";
import type { BackendDescription } from "./description.js";
import { registerGradients } from "./gradients/index.js";
import type { BackendName } from "./names.js";
import { withFactorsOf } from "./precision/products.js";
import * as tensorflow from "./tensorflow/index.js";
import { type BackendSettings, readBackendSettings } from "./tensorflow/settings.js";
import * as wasm from "./wasm/index.js";

/**
 * The revision of the arithmetic that Isobatch adds to the backends' own kernels. It is raised whenever the bits of any
 * model's gradient change, so that workers of different Isobatch versions can't share a run:
 * 2: dropout's masks are drawn by Philox.
 */
const ARITHMETIC = 2;

/** An open backend: tfjs computes on it until it is disposed. One per thread. */
export interface Backend {
  name: BackendName;
  numerics: Numerics;
  /** The device in words, for people. */
  device: string;
  /** Threads inside an operation, of each compute thread. */
  intraOpThreads: number;
  /** What makes its bits repeat, and where they do; in words. */
  determinism: string;
  /** The precisions that products can be computed in, and how; in words. */
  precisions: string;
  /**
   * Runs `body` with all products of matrices and convolutions computed in this precision.
   * @throws {IsobatchError} `unavailable` if the backend can't.
   */
  inPrecision<Result>(precision: Precision, body: () => Result): Result;
  /** Of a backend that can make programs of what it computes. */
  compiler: Compiler | undefined;
  /** Frees the backend and every tensor on it. A second call does nothing. */
  dispose(): void;
}

/** Whether a name is a backend's. */
export const isBackendName = (name: string): name is BackendName => name in implementations;

/** What each backend does in its own way. */
interface Implementation {
  /** tfjs's name for it. */
  readonly registered: string;
  /** Whatever must be done before it is created; throws an `unavailable` IsobatchError that says why it can't be had. */
  prepare(settings: BackendSettings): Promise<void>;
  /** tfjs forgets a backend's factory together with the backend, so it is kept here. */
  readonly create: () => KernelBackend | Promise<KernelBackend>;
  /** Registers what training needs beyond what the backend has. */
  complete(): void;
  describe(): BackendDescription;
  compiler?(): Compiler | undefined;
  /** Prepares the device for products of this precision. @returns the bits of mantissa that factors must be rounded to. */
  prepareProducts?(precision: Precision): number | undefined;
}

const native = (name: tensorflow.TensorFlowBackendName): Implementation => ({
  registered: tensorflow.TENSORFLOW,
  prepare: (settings) => tensorflow.prepare(name, settings),
  create: tensorflow.create,
  complete: tensorflow.complete,
  describe: tensorflow.describe,
  compiler: () => tensorflow.compiler(),
  prepareProducts: tensorflow.prepareProducts,
});

const implementations: Record<BackendName, Implementation> = {
  "tfjs-node-gpu": native("tfjs-node-gpu"),
  "tfjs-node": native("tfjs-node"),
  wasm: { ...wasm, registered: "wasm", create: findBackendFactory("wasm"), describe: () => wasm.description },
  cpu: { ...cpu, registered: "cpu", create: findBackendFactory("cpu"), describe: () => cpu.description },
};

/**
 * Opens a backend in this thread, completed for training, and makes it the one that tfjs computes on.
 * @param settings by default, those of a process without settings
 * @throws {IsobatchError} `unavailable` if it can't start here
 */
export async function openBackend(
  name: BackendName,
  settings: BackendSettings = readBackendSettings({}),
): Promise<Backend> {
  const { registered, prepare, create, complete, describe, compiler, prepareProducts } = implementations[name];
  const bitsOf = prepareProducts ?? ((precision: Precision) => MANTISSA_BITS[precision]);
  enableProdMode(); // Otherwise the cpu backend advertises tfjs-node on standard error.
  await prepare(settings);
  if (!isRegistered(registered)) registerBackend(registered, create);
  let cause: unknown;
  const started = await setBackend(registered).catch((error: unknown) => {
    cause = error;
    return false;
  });
  if (!started) {
    throw new IsobatchError("unavailable", `The backend ${name} did not start here; try another with --backend.`, {
      cause,
    });
  }
  complete();
  registerGradients();
  const { version, flags, device, intraOpThreads, determinism, precisions } = describe();
  return {
    name,
    numerics: { backend: name, version, architecture: process.arch, flags: `${flags}, arithmetic ${ARITHMETIC}` },
    device,
    intraOpThreads,
    determinism,
    precisions,
    inPrecision: (precision, body) => withFactorsOf(bitsOf(precision), body),
    compiler: compiler?.(),
    dispose() {
      if (isRegistered(registered)) removeBackend(registered);
    },
  };
}

const isRegistered = (name: string): boolean => Boolean(findBackendFactory(name));
