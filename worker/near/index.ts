export { createNear, type Near } from "./near.js";
export { createNearMemory, type MemoryOptions, type NearMemory } from "./near-memory.js";
export type { NearSession } from "./near-session.js";
