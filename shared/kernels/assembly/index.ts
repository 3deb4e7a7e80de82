/**
 * The hot loops in AssemblyScript, four float32 lanes at a time. Offsets are bytes into the imported memory, lengths
 * are elements, and nothing is allocated: the module has no data and no state, so any number of threads can
 * instantiate it over one shared memory. `../reference.ts` specifies what every function computes.
 */

export { adam, adamOfSquaredSum } from "./adam";
export { packBfloat16, roundBfloat16, unpackBfloat16 } from "./bfloat16";
export { allFinite, squaredNorm, sum } from "./reductions";
export { add, addInto, addLeaf, average, leaf, scale } from "./sums";
