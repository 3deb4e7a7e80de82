/** All backends, in the order in which they are tried: the fastest first. */
export const BACKEND_NAMES = ["tfjs-node-gpu", "tfjs-node", "wasm", "cpu"] as const;

export type BackendName = (typeof BACKEND_NAMES)[number];
