import { enableProdMode, findBackendFactory, registerBackend, removeBackend, setBackend } from "@tensorflow/tfjs-core";
import { IsobatchError } from "../../shared/errors.js";
import * as cpu from "./cpu/index.js";
import { registerGradients } from "./gradients/index.js";
import * as wasm from "./wasm/index.js";

/** What changes the bits of a gradient: two workers may share a run only if all four are equal. */
export interface Numerics {
  backend: string;
  /** Of the backend and, where there is one, the library under it. */
  version: string;
  /** `process.arch`. */
  architecture: string;
  /** SIMD, threads, determinism: whatever else changes bits. */
  flags: string;
}

/** An open backend: tfjs computes on it until it is disposed. One per thread. */
export interface Backend {
  name: BackendName;
  numerics: Numerics;
  /** The device in words, for people. */
  device: string;
  /** Frees the backend and every tensor on it. A second call does nothing. */
  dispose(): void;
}

export type BackendName = "wasm" | "cpu";

const implementations = { wasm, cpu };
const factories = { wasm: findBackendFactory("wasm"), cpu: findBackendFactory("cpu") };

/**
 * Opens a backend in this thread, completed for training, and makes it the one that tfjs computes on.
 * Throws an `unavailable` IsobatchError when it cannot start here.
 */
export async function openBackend(name: BackendName): Promise<Backend> {
  const implementation = implementations[name];
  enableProdMode(); // Otherwise the cpu backend advertises tfjs-node on standard error.
  if (!isRegistered(name)) registerBackend(name, factories[name]);
  await implementation.prepare();
  let cause: unknown;
  const started = await setBackend(name).catch((error: unknown) => {
    cause = error;
    return false;
  });
  if (!started) {
    throw new IsobatchError("unavailable", `The backend ${name} did not start here; try another with --backend.`, {
      cause,
    });
  }
  implementation.complete();
  registerGradients();
  const { version, flags, device } = implementation.description;
  return {
    name,
    numerics: { backend: name, version, architecture: process.arch, flags },
    device,
    dispose() {
      if (isRegistered(name)) removeBackend(name);
    },
  };
}

// tfjs forgets a backend's factory together with the backend, hence `factories` above.
const isRegistered = (name: BackendName): boolean => Boolean(findBackendFactory(name));
