/**
 * What a backend has to provide. To add one, implement `BackendImplementation` in a new folder, add its name to
 * `machine/names.ts` and the implementation to the table in `backend.ts`; `backend.test.ts`, `operations.test.ts` and
 * `layers.test.ts` then check its kernels and gradients against references. A tfjs backend
 * need not be complete: `complete` registers kernels that it lacks or computes wrongly.
 */
import type { Precision } from "../shared/precision.js";
import type { KernelBackend } from "../tasks/tfjs/core.js";
import type { Compiler } from "./compiler.js";
import type { BackendSettings } from "./machine/index.js";

/**
 * A backend before it is opened. `prepare`, `create` and `complete` are called in this order, each time it is opened.
 */
export interface BackendImplementation {
  /** The name under which tfjs registers it. */
  readonly registered: string;
  /**
   * Does everything that is necessary before the tfjs backend is created, such as loading a library.
   * @throws {IsobatchError} `unavailable` with the reason why the backend can't be used here
   */
  prepare(settings: BackendSettings): Promise<void>;
  /** Creates the tfjs backend. tfjs discards a backend's factory together with the backend, so it is kept here. */
  readonly create: () => KernelBackend | Promise<KernelBackend>;
  /** Registers the kernels that training needs and the tfjs backend lacks. The registry outlives the backend. */
  complete(): void;
  /** Describes the backend, once it is created. */
  describe(): BackendDescription;
  /** The compiler, for a backend that can make programs of what it computes. */
  compiler?(): Compiler | undefined;
  /**
   * Prepares the device for products of this precision, until it is called with another.
   * @returns the bits of mantissa that factors must be rounded to; undefined: they are not rounded
   * @throws {IsobatchError} `unavailable` if the device doesn't have the precision
   */
  prepareProducts?(precision: Precision): number | undefined;
}

/** What a backend says about itself; the rest of `Backend` is the same for all. */
export interface BackendDescription {
  /** The version of the backend and, where there is one, of the library under it. */
  readonly version: string;
  /** What else its bits depend on. */
  readonly flags: string;
  /** The device in words, for people. */
  readonly device: string;
  /** The number of threads inside an operation, in each compute thread. */
  readonly intraOpThreads: number;
  /** What makes its bits repeat, and where they do; in words. */
  readonly determinism: string;
  /** The precisions that products can be computed in, and how; in words. */
  readonly precisions: string;
}

/** The precisions of a backend that multiplies in float32 only. */
export const BY_ROUNDING = "float32; tf32 and bfloat16 by rounding factors, which saves no time";
