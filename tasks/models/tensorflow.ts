/**
 * TensorFlow.js as this project uses it: core, layers and the cpu backend, imported once and from here.
 *
 * Repairs are made on import. Some layers leave options out of a model's JSON (options.ts), some report a wrong output
 * shape (output-shapes.ts), some call methods that tensors lack (tensor-methods.ts). And tfjs advertises its native package
 * on standard error at the first tensor; production mode keeps it quiet and changes no arithmetic.
 */
import { core } from "../tfjs/core.js";
import { layers } from "../tfjs/layers.js";
import type { TensorFlow } from "../tfjs/types.js";
import "../tfjs/backend-cpu.js";
import { repairOptions } from "./options.js";
import { repairOutputShapes } from "./output-shapes.js";
import { defineTensorMethods } from "./tensor-methods.js";

export type { TensorFlow } from "../tfjs/types.js";

/** What a task module's `model` function is given: the instance that trains. */
export const tensorflow: TensorFlow = { ...core, ...layers };

core.env().set("PROD", true);
repairOutputShapes();
repairOptions();
defineTensorMethods();

// Closing a backend makes tfjs forget how to open it again.
const cpuFactory = core.findBackendFactory("cpu");

/**
 * Runs `action` on the cpu backend and then restores the former backend. `action` is synchronous, so that nothing else
 * in the process can compute on the wrong backend meanwhile.
 */
export function onCpu<T>(action: () => T): T {
  const restore = switchToCpu();
  try {
    return action();
  } finally {
    restore();
  }
}

/** The same for a user's asynchronous code. The caller ensures that nothing else computes until it is done. */
export async function onCpuThroughout<T>(action: () => T | Promise<T>): Promise<T> {
  const restore = switchToCpu();
  try {
    return await action();
  } finally {
    restore();
  }
}

/** @returns a function that restores the former backend, if there was one. */
function switchToCpu(): () => void {
  const former = core.getBackend();
  if (!core.findBackendFactory("cpu")) core.registerBackend("cpu", cpuFactory);
  // setBackend returns a promise, but has switched by the time it returns for a backend that starts at once
  // (cpu) and for one that has started already (the former one).
  void core.setBackend("cpu");
  return () => {
    if (former) void core.setBackend(former);
  };
}
