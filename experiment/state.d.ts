/**
 * A whole training state, θ, m and v, in the memories that a worker has for θ and sums alone: the moments occupy a
 * slot of their own, m where S1 would lie and v where S2 would.
 */
import type { Coefficients } from "../shared/optimizer/index.js";
import { type SharedMemory } from "../worker/compute/index.js";
type Addresses = readonly number[];
/** The elements [0, length) of a vector, copied out of its segments. */
export declare function readVector(memory: SharedMemory, from: Addresses, length: number): Float32Array;
/** @param values the first `values.length` elements of the vector at `to` */
export declare function writeVector(memory: SharedMemory, to: Addresses, values: Float32Array): void;
/**
 * One step of the optimizer on θ and the moments, from the sums of the step's κ micro-batches in slot `sums`; what is
 * in the tail is averaged instead.
 */
export declare function applyStep({ plan, kernels }: SharedMemory, moments: number, sums: number, microBatches: number, coefficients: Coefficients): void;
export {};
