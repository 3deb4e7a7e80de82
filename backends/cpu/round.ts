import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { ROUND_MANTISSA, type RoundAttributes } from "../precision/round.js";
import { tensorOf, valuesOf } from "./values.js";

export function registerRound(): void {
  replaceKernel("cpu", ROUND_MANTISSA, round);
}

const MANTISSA = 23;
const INFINITE = 0x7f800000;
const QUIET = 0x00400000;

/** Adds just under half a unit of the last kept place, or half a unit if that place is odd, and drops the rest. */
function round({ inputs: { x }, attrs, backend }: KernelCall<{ x: TensorInfo }, RoundAttributes>): TensorInfo {
  const values = valuesOf(backend, x).slice();
  const bits = new Int32Array(values.buffer);
  const cut = MANTISSA - attrs.bits;
  const underHalf = (1 << (cut - 1)) - 1;
  const kept = -1 << cut;
  for (let i = 0; i < bits.length; i++) {
    const at = bits[i];
    const isNumber = (at & 0x7fffffff) <= INFINITE;
    bits[i] = (isNumber ? at + underHalf + ((at >> cut) & 1) : at | QUIET) & kept;
  }
  return tensorOf(backend, x.shape, values);
}
