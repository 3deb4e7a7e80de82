/**
 * The arithmetic of a training step over arrays in a shared WebAssembly memory.
 *
 * Every offset is a byte offset into that memory, a multiple of 4 (16 is a little faster); every length is a number
 * of float32 elements; arrays are completely inside the memory. Where one call has several arrays they are equal in
 * length and either the same array or disjoint. Products and quotients are rounded to float32 before they are
 * added (no fused multiply-add), so that any machine computes the same bits. NaN in gives NaN out, its payload
 * unspecified.
 */
export interface Kernels {
  /** The sums of one micro-batch: s1 = w1·g and s2 = w2·(g·g). `s1` may be `g` itself. */
  leaf(g: number, s1: number, s2: number, length: number, w1: number, w2: number): void;
  /** Adds a micro-batch to sums: s1 += w1·g and s2 += w2·(g·g). */
  addLeaf(g: number, s1: number, s2: number, length: number, w1: number, w2: number): void;
  /** target += source. */
  add(target: number, source: number, length: number): void;
  /** target = a + b. */
  addInto(target: number, a: number, b: number, length: number): void;
  /** target = factor·target. */
  scale(target: number, length: number, factor: number): void;
  /** Whether no element is an infinity or NaN. */
  allFinite(offset: number, length: number): boolean;
  /**
   * Σ x² in float64, the squares exact: over blocks of `BLOCK_LENGTH` elements counted from `offset`, added in
   * order. Within a block element i goes to accumulator i mod 8, and the accumulators are combined as
   * ((a0+a4)+(a2+a6)) + ((a1+a5)+(a3+a7)).
   */
  squaredNorm(offset: number, length: number): number;
  /** Σ x in float64, in the order of `squaredNorm`. */
  sum(offset: number, length: number): number;
  /**
   * One step of Adam on `length` parameters with their moments m and v and the step's sums S1 and S2:
   *
   *     m = mKeep·m + mAdd·s1
   *     v = vKeep·v + vAdd·s2                  or, with squareOfSum, vAdd·(s1·s1), and s2 is not read
   *     theta = theta − (decay·theta + (stepSize·m) / (sqrt(v·vScale) + epsilon))
   *
   * Every operation is rounded to float32; the constants are rounded once, here.
   */
  adam(theta: number, m: number, v: number, s1: number, s2: number, length: number, constants: AdamConstants): void;
  /** A step of what is averaged instead of trained (BatchNorm's moving statistics): theta = keep·theta + add·s1. */
  average(theta: number, s1: number, length: number, keep: number, add: number): void;
  /**
   * target = source, each element rounded to a bfloat16 (to nearest, ties to even). `target` may be `source` itself.
   */
  roundBfloat16(source: number, target: number, length: number): void;
  /** The same, but two bytes per element are written: a bfloat16 is a float32's upper half. */
  packBfloat16(source: number, target: number, length: number): void;
  /**
   * target = the bfloat16 numbers at `source`, whose offset is a multiple of 2, as float32. They may occupy the end of
   * the target's memory.
   */
  unpackBfloat16(source: number, target: number, length: number): void;
}

/** A step's arithmetic that is the same for every parameter, in float64. */
export interface AdamConstants {
  /** 1 − Γ1. */
  readonly mKeep: number;
  /** Multiplies S1. */
  readonly mAdd: number;
  /** 1 − Γ2. */
  readonly vKeep: number;
  /** Multiplies S2, or S1² with `squareOfSum`. */
  readonly vAdd: number;
  /** Whether v is made from S1² (standard Adam) rather than from S2 (batch size invariant Adam). */
  readonly squareOfSum: boolean;
  /** The step's learning rate divided by the bias correction of m. */
  readonly stepSize: number;
  /** One over the bias correction of v. */
  readonly vScale: number;
  readonly epsilon: number;
  /** The fraction of θ that weight decay removes; passed directly, because 1 − 10⁻⁷ is not a float32 number. */
  readonly decay: number;
}

/** The unit in which memories grow. */
export const PAGE_BYTES = 65_536;
/**
 * The last page of the 4 GiB that wasm32 can address stays out of use, so that no array ends at byte 2^32, which a
 * kernel's 32-bit end pointer could not hold.
 */
const PAGES_MAX = 65_535;

/**
 * A shared memory of at least `bytes`, rounded up to pages of 64 KiB. It may `grow` to just under 4 GiB; its
 * `buffer` is then a different object, so views must be made again.
 * @throws {RangeError} if `bytes` is over that
 */
export function createKernelMemory(bytes: number): WebAssembly.Memory {
  const initial = Math.ceil(bytes / PAGE_BYTES);
  if (!(initial >= 0 && initial <= PAGES_MAX)) throw new RangeError(`a kernel memory of ${bytes} bytes`);
  return new WebAssembly.Memory({ initial, maximum: PAGES_MAX, shared: true });
}

/** The part of the standard's interface that is used here: TypeScript declares it only for browsers. */
declare global {
  namespace WebAssembly {
    class Memory {
      constructor(options: { initial: number; maximum: number; shared: true });
      readonly buffer: SharedArrayBuffer;
      /** Grows by `pages` of 64 KiB and returns the number of pages before. */
      grow(pages: number): number;
    }
    class Module {
      constructor(bytes: Uint8Array);
    }
    class Instance {
      constructor(module: Module, imports: Record<string, Record<string, unknown>>);
      readonly exports: Record<string, unknown>;
    }
  }
}
