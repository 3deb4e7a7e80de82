import { createRequire } from "node:module";
import { dirname, sep } from "node:path";
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import { IsobatchError } from "../../shared/errors.js";
import { setThreadsCount, setWasmPaths, version_wasm } from "../../tasks/tfjs/backend-wasm.js";
import { backend, env, findBackendFactory } from "../../tasks/tfjs/core.js";
import { type BackendDescription, type BackendImplementation, BY_ROUNDING } from "../implementation.js";
import { registerConvolutions } from "./convolution.js";
import { registerDepthwise } from "./depthwise.js";
import { registerDropout } from "./dropout.js";
import { registerIdentity } from "./identity.js";
import { registerMatMul } from "./matmul.js";
import { guardMemory } from "./memory.js";
import { registerNormalization } from "./normalization.js";
import { registerOneHot } from "./one-hot.js";
import { registerPooling } from "./pool.js";
import { registerPrelu } from "./prelu.js";
import { registerReluGradient } from "./relu.js";
import { registerResizeGradient } from "./resize.js";
import { registerRound } from "./round.js";
import { registerSums } from "./sums.js";
import { registerTile } from "./tile.js";
import { registerTranspose } from "./transpose.js";
import { registerUnpack } from "./unpack.js";

let completed = false;

/**
 * Points the backend at its binaries, which are next to its JavaScript in the installed package. Always one thread:
 * the backend's own threads don't work in Node.js, and a worker has its own compute threads.
 */
async function prepare(): Promise<void> {
  if ((await env().getAsync("WASM_HAS_SIMD_SUPPORT")) !== true) {
    throw new IsobatchError("unavailable", "The backend wasm needs a processor with SIMD for WebAssembly; use cpu.");
  }
  const main = createRequire(import.meta.url).resolve("@tensorflow/tfjs-backend-wasm");
  setWasmPaths(dirname(main) + sep);
  setThreadsCount(1);
}

/** Guards the backend's memory, and registers the training kernels: the registry outlives the backend, so only once. */
function complete(): void {
  guardMemory(backend() as BackendWasm);
  if (completed) return;
  completed = true;
  registerIdentity();
  registerMatMul();
  registerNormalization();
  registerConvolutions();
  registerDepthwise();
  registerDropout();
  registerOneHot();
  registerPooling();
  registerPrelu();
  registerReluGradient();
  registerResizeGradient();
  registerRound();
  registerSums();
  registerTile();
  registerTranspose();
  registerUnpack();
}

const description: BackendDescription = {
  version: version_wasm,
  flags: "simd",
  device: "WebAssembly with SIMD, one thread",
  intraOpThreads: 1,
  precisions: BY_ROUNDING,
  determinism: "one thread, WebAssembly's arithmetic: the same bits on the same architecture",
};

/**
 * The WebAssembly backend: it needs only the npm package, runs on any machine, and computes with SIMD on one thread. As
 * shipped it can't train; `complete` registers what it lacks, and replaces what is wrong or slow.
 */
export const wasm: BackendImplementation = {
  registered: "wasm",
  prepare,
  create: findBackendFactory("wasm"),
  complete,
  describe: () => description,
};
