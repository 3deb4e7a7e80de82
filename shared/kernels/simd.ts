import { readFileSync } from "node:fs";
import type { Kernels } from "./kernels.js";

/** The exports of `assembly/index.ts`; a float argument is rounded to float32 by the call itself. */
interface Exports extends Omit<Kernels, "allFinite" | "adam"> {
  allFinite(offset: number, length: number): number;
  adam(...arguments_: [...arrays: FiveArrays, length: number, ...constants: EightConstants]): void;
  adamOfSquaredSum(...arguments_: [...arrays: FourArrays, length: number, ...constants: EightConstants]): void;
}
type FourArrays = [theta: number, m: number, v: number, s1: number];
type FiveArrays = [...FourArrays, s2: number];
type EightConstants = [number, number, number, number, number, number, number, number];

let compiled: WebAssembly.Module | undefined;

/** Instantiates the SIMD kernels over `memory`, synchronously. The module is compiled once per thread. */
export function instantiateKernels(memory: WebAssembly.Memory): Kernels {
  compiled ??= new WebAssembly.Module(readFileSync(new URL("./kernels.wasm", import.meta.url)));
  const exports = new WebAssembly.Instance(compiled, { env: { memory } }).exports as unknown as Exports;
  const { leaf, addLeaf, add, addInto, scale, squaredNorm, sum, average } = exports;
  const { roundBfloat16, packBfloat16, unpackBfloat16 } = exports;
  return {
    leaf,
    addLeaf,
    add,
    addInto,
    scale,
    squaredNorm,
    sum,
    average,
    roundBfloat16,
    packBfloat16,
    unpackBfloat16,
    allFinite: (offset, length) => exports.allFinite(offset, length) === 1,
    adam(theta, m, v, s1, s2, length, k) {
      const { mKeep, mAdd, vKeep, vAdd, stepSize, vScale, epsilon, decay } = k;
      if (k.squareOfSum) {
        exports.adamOfSquaredSum(theta, m, v, s1, length, mKeep, mAdd, vKeep, vAdd, stepSize, vScale, epsilon, decay);
      } else {
        exports.adam(theta, m, v, s1, s2, length, mKeep, mAdd, vKeep, vAdd, stepSize, vScale, epsilon, decay);
      }
    },
  };
}
