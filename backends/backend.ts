/** Opening a backend: what every backend does in its own way is in `implementation.ts`. */
import { IsobatchError } from "../shared/errors.js";
import type { Numerics } from "../shared/numerics.js";
import { MANTISSA_BITS, type Precision } from "../shared/precision.js";
import { enableProdMode, findBackendFactory, registerBackend, removeBackend, setBackend } from "../tasks/tfjs/core.js";
import type { Compiler } from "./compiler.js";
import { cpu } from "./cpu/index.js";
import { registerGradients } from "./gradients/index.js";
import type { BackendDescription, BackendImplementation } from "./implementation.js";
import { type BackendName, type BackendSettings, readBackendSettings } from "./machine/index.js";
import { withFactorsOf } from "./precision/products.js";
import { tensorFlow } from "./tensorflow/index.js";
import { wasm } from "./wasm/index.js";

/**
 * The revision of the arithmetic that Isobatch adds to the backends' own kernels. It is raised whenever the bits of any
 * model's gradient change, so that workers of different Isobatch versions can't share a run:
 * 2: dropout's masks are drawn by Philox.
 */
const ARITHMETIC = 2;

/** An open backend: tfjs computes on it until it is disposed. One per thread. */
export interface Backend extends Pick<BackendDescription, "device" | "intraOpThreads" | "determinism" | "precisions"> {
  readonly name: BackendName;
  readonly numerics: Numerics;
  /**
   * Runs `body` with all products of matrices and convolutions computed in this precision.
   * @throws {IsobatchError} `unavailable` if the backend can't.
   */
  inPrecision<Result>(precision: Precision, body: () => Result): Result;
  /** The compiler, if the backend can make programs of what it computes. */
  readonly compiler: Compiler | undefined;
  /** Frees the backend and every tensor on it. A second call does nothing. */
  dispose(): void;
}

const implementations: Record<BackendName, BackendImplementation> = {
  "tfjs-node-gpu": tensorFlow("tfjs-node-gpu"),
  "tfjs-node": tensorFlow("tfjs-node"),
  wasm,
  cpu,
};

/**
 * Opens a backend in this thread, completed for training, and makes it the one that tfjs computes on.
 * @param settings the defaults if undefined
 * @throws {IsobatchError} `unavailable` if it can't start here
 */
export async function openBackend(
  name: BackendName,
  settings: BackendSettings = readBackendSettings({}),
): Promise<Backend> {
  const { registered, prepare, create, complete, describe, compiler, prepareProducts } = implementations[name];
  const bitsOf = prepareProducts ?? ((precision: Precision) => MANTISSA_BITS[precision]);
  enableProdMode(); // Without it the cpu backend advertises tfjs-node on standard error.
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
