import { createRequire } from "node:module";

/**
 * The native TensorFlow backends live here: `tfjs-node-gpu` (CUDA) and `tfjs-node` (CPU), neither of which is a
 * dependency, since they bring a library of their own. So far it is only told whether their packages are there.
 */

const packages = { "tfjs-node-gpu": "@tensorflow/tfjs-node-gpu", "tfjs-node": "@tensorflow/tfjs-node" };

export type TensorFlowBackendName = keyof typeof packages;

/** Why the backend can't be used here. */
export function unavailability(name: TensorFlowBackendName): string {
  const packageName = packages[name];
  try {
    createRequire(import.meta.url).resolve(packageName);
  } catch {
    return `the package ${packageName} is not installed`;
  }
  return `the package ${packageName} is installed, but this version of Isobatch does not compute on it`;
}
