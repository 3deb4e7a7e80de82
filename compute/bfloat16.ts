/**
 * Rounding for a task with `wire: "bfloat16"`; how products are computed is its `precision`. Numbers are rounded where
 * they are computed, not where they are sent: parameters when a thread loads them, a micro-batch's gradient before it
 * enters any sum. So a run's bits don't depend on whether numbers crossed a network, or how often.
 */
import { isPacked, type LayoutTensor, type WireFormat } from "../shared/layout/index.js";
import { type Addresses, gradientAddresses, type SharedMemory, weightsAddresses } from "./memory.js";

export interface WireRounding {
  /** Prepares the vector that `weightsAt` names, from θ; to be called before a model loads its weights. */
  roundWeights(): void;
  /** The vector in which a model finds the values of `tensor`. */
  weightsAt(tensor: LayoutTensor): Addresses;
  /** Rounds a micro-batch's gradient in place; the batch statistics after it stay float32. */
  roundGradient(gradient: Addresses): void;
}

/**
 * @param thread the thread whose gradient buffer holds the rounded parameters while they are loaded: it is free then
 */
export function createWireRounding(wire: WireFormat, memory: SharedMemory, thread: number): WireRounding {
  const { plan } = memory;
  const theta = weightsAddresses(plan);
  if (wire !== "bfloat16") return { roundWeights() {}, weightsAt: () => theta, roundGradient() {} };
  const rounded = gradientAddresses(plan, thread);
  const round = (from: Addresses, to: Addresses): void => {
    for (const [i, { parameters }] of plan.segments.entries()) {
      memory.kernels[i].roundBfloat16(from[i], to[i], parameters);
    }
  };
  return {
    roundWeights: () => round(theta, rounded),
    weightsAt: (tensor) => (isPacked(tensor, wire) ? rounded : theta),
    roundGradient: (gradient) => round(gradient, gradient),
  };
}
