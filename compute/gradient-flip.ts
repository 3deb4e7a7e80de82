/**
 * A switch for tests: one bit of one gradient is flipped, so that a test can see that the state's hash would show it.
 */
import { invalid } from "../shared/errors.js";
import { type Addresses, type SharedMemory, viewElements } from "./memory.js";

export interface GradientFlip {
  /** The number n of the micro-batch. */
  readonly microBatch: number;
  /** The number of the element in the flat vector; it must be a parameter. */
  readonly element: number;
}

/** Reads `n:element`, the form of the environment variable ISOBATCH_FLIP_GRADIENT_BIT. */
export function parseGradientFlip(text: string): GradientFlip {
  const match = /^(\d{1,15}):(\d{1,15})$/.exec(text);
  if (match === null) {
    invalid(`ISOBATCH_FLIP_GRADIENT_BIT is "${text}"; it must be a micro-batch and an element, such as 3:1000.`);
  }
  return { microBatch: Number(match[1]), element: Number(match[2]) };
}

/** The highest bit of the fraction: large enough to survive rounding in any sum, without a change of sign or range. */
const BIT = 1 << 22;

/** Flips one bit of the vector at `target`. */
export function flipBit(memory: SharedMemory, target: Addresses, { element }: GradientFlip): void {
  const { plan } = memory;
  if (element >= plan.layout.parameters) {
    invalid(`ISOBATCH_FLIP_GRADIENT_BIT names element ${element}; the model has ${plan.layout.parameters} parameters.`);
  }
  const segment = plan.segments.findLastIndex(({ offset }) => offset <= element);
  const view = viewElements(memory, target, segment, element, 1);
  new Int32Array(view.buffer, view.byteOffset, 1)[0] ^= BIT;
}
