/**
 * Where a worker's numbers are stored. Every segment of the layout has one shared memory, which all threads of the
 * worker and its SIMD kernels use in place:
 *
 *     θ │ g of thread 0 │ g of thread 1 │ … │ slot 0: S1, S2 │ slot 1: S1, S2 │ …
 *
 * θ is the whole segment; a gradient and S1 leave out what is frozen; S2 leaves out the tail too, which is never
 * squared. Slots come last because their number grows. Only the main thread allocates and frees them, so that
 * it can push a node's sums directly from here; addresses are pure functions, so the threads need only the memories.
 *
 * θ has its own pages, and so have all slots together, so that files can be mapped in their place.
 */
import { IsobatchError } from "../shared/errors.js";
import { createKernelMemory, instantiateKernels, type Kernels, PAGE_BYTES } from "../shared/kernels/index.js";
import { BYTES_PER_ELEMENT, type Chunk, type Layout } from "../shared/layout/index.js";
import { lineAligned, type SlotShape, slotShapes, wholePages } from "../shared/near/index.js";
import { slotsNeededMax } from "./fold.js";
import { createSlotPool } from "./slot-pool.js";

/** Addresses within one segment's memory, in bytes; lengths in elements. */
export interface SegmentPlan {
  /** The start of the segment in the flat vector, in elements. */
  readonly offset: number;
  readonly length: number;
  /** The number of elements of the segment that are trained parameters, and that are parameters or tail. */
  readonly parameters: number;
  readonly averaged: number;
  readonly gradientsAt: number;
  readonly slotsAt: number;
  readonly slot: SlotShape;
}

export interface MemoryPlan {
  readonly layout: Layout;
  readonly threads: number;
  readonly segments: readonly SegmentPlan[];
}

/** A vector of the layout: its address in every segment's memory, in bytes. */
export type Addresses = readonly number[];

const MEMORY_BYTES_MAX = 65_535 * PAGE_BYTES;
/** Added between arrays: arrays a multiple of 4 KiB apart evict each other from the caches. */
const SKEW_BYTES = 320;

/** @param threads the number of compute threads, each with its own gradient */
export function planMemory(layout: Layout, threads: number): MemoryPlan {
  const shapes = slotShapes(layout);
  const segments = layout.segments.map(({ offset, length }, i) => {
    const slot = shapes[i];
    const { parameters, averaged } = slot;
    const gradientsAt = wholePages(length * BYTES_PER_ELEMENT) + SKEW_BYTES;
    const slotsAt = wholePages(gradientsAt + threads * lineAligned(averaged));
    return { offset, length, parameters, averaged, gradientsAt, slotsAt, slot };
  });
  return { layout, threads, segments };
}

export function weightsAddresses(plan: MemoryPlan): Addresses {
  return plan.segments.map(() => 0);
}

export function gradientAddresses(plan: MemoryPlan, thread: number): Addresses {
  return plan.segments.map((segment) => segment.gradientsAt + thread * lineAligned(segment.averaged));
}

export function sumAddresses(plan: MemoryPlan, slot: number, sum: "s1" | "s2"): Addresses {
  return plan.segments.map(
    (segment) => segment.slotsAt + slot * segment.slot.bytes + (sum === "s1" ? 0 : segment.slot.s2At),
  );
}

/**
 * The elements [offset, offset + length) of a vector, all in one segment, as a view. A view stays usable after its
 * memory has grown, but the buffer of a later view is a different object.
 */
export function viewElements(
  { plan, memories }: Pick<SharedMemory, "plan" | "memories">,
  addresses: Addresses,
  segment: number,
  offset: number,
  length: number,
): Float32Array {
  const at = addresses[segment] + (offset - plan.segments[segment].offset) * BYTES_PER_ELEMENT;
  return new Float32Array(memories[segment].buffer, at, length);
}

/** A worker's shared memories, as one of its threads uses them. */
export interface SharedMemory {
  readonly plan: MemoryPlan;
  /** One per segment. */
  readonly memories: readonly WebAssembly.Memory[];
  /** The thread's own kernels over each memory. */
  readonly kernels: readonly Kernels[];
}

export function attachMemory({ plan, memories }: Pick<SharedMemory, "plan" | "memories">): SharedMemory {
  return { plan, memories, kernels: memories.map(instantiateKernels) };
}

/** A worker's shared memories, as its main thread manages them. */
export interface WorkerMemory {
  readonly plan: MemoryPlan;
  /** One per segment; they may be posted to threads. */
  readonly memories: readonly WebAssembly.Memory[];
  /** The bytes of one chunk of θ, writable: weights are received directly into it. */
  weights(chunk: Chunk): Buffer;
  /**
   * The bytes of one chunk of a node's sums, to be pushed without a copy. A node of one leaf has its raw gradient in
   * `s1` and no `s2`; a chunk of the tail has no `s2` either.
   */
  sums(slot: number, sum: "s1" | "s2", chunk: Chunk): Buffer;
  /**
   * Takes `count` free slots, growing the memories if there are not enough; if the limit is reached, resolves when
   * others have been released. Rejects with the signal's reason if that is aborted first.
   * @throws {IsobatchError} `exhausted` if there can never be this many
   */
  takeSlots(count: number, signal?: AbortSignal): Promise<number[]>;
  releaseSlots(slots: readonly number[]): void;
  /** The number of slots that are taken now. */
  readonly slotsTaken: number;
  /** The number of slots, at the addresses of the plan. */
  readonly slots: number;
  /** The most slots that there can ever be, and the most that one lease takes. */
  readonly bounds: { readonly total: number; readonly perLease: number };
  /** Calls `listener` whenever there are more slots, before any of the new ones is taken. */
  onGrown(listener: (slots: number) => void): void;
}

/**
 * @param options.leaves the most leaves that one lease of this run can have (its largest κ). At most
 *   2 · threads · (1 + 2·log2(leaves)) slots are ever allotted: one fold stack per thread, twice because one
 *   lease is pushed while the next is computed; fewer if a segment reaches 4 GiB before.
 */
export function createWorkerMemory(options: { layout: Layout; threads: number; leaves: number }): WorkerMemory {
  const plan = planMemory(options.layout, options.threads);
  const perLease = options.threads * slotsNeededMax(options.leaves);
  const slotsMax = Math.min(
    2 * perLease,
    ...plan.segments.map(({ slotsAt, slot }) =>
      slot.bytes === 0 ? Number.POSITIVE_INFINITY : Math.floor((MEMORY_BYTES_MAX - slotsAt) / slot.bytes),
    ),
  );
  const memories = plan.segments.map((segment) => createKernelMemory(segment.slotsAt));
  const listeners: ((slots: number) => void)[] = [];
  const pool = createSlotPool(slotsMax, (count) => {
    if (count === pool.count) return;
    for (const [i, { slotsAt, slot }] of plan.segments.entries()) {
      const bytes = slotsAt + count * slot.bytes - memories[i].buffer.byteLength;
      if (bytes <= 0) continue;
      try {
        memories[i].grow(Math.ceil(bytes / PAGE_BYTES));
      } catch (cause) {
        throw exhausted(`The machine's memory is used up by ${count} sums of ${slot.bytes} bytes`, cause);
      }
    }
    for (const listener of listeners) listener(count);
  });

  const chunkView = (addresses: Addresses, chunk: Chunk): Buffer => {
    const view = viewElements({ plan, memories }, addresses, chunk.segment, chunk.offset, chunk.length);
    return Buffer.from(view.buffer, view.byteOffset, view.byteLength);
  };

  return {
    plan,
    memories,
    weights: (chunk) => chunkView(weightsAddresses(plan), chunk),
    sums: (slot, sum, chunk) => chunkView(sumAddresses(plan, slot, sum), chunk),
    async takeSlots(count, signal) {
      if (count > slotsMax) {
        throw exhausted(`A lease needs ${count} sums at once, but this worker has room for ${slotsMax}`);
      }
      return pool.take(count, signal);
    },
    releaseSlots: pool.release,
    get slotsTaken() {
      return pool.taken;
    },
    get slots() {
      return pool.count;
    },
    bounds: { total: slotsMax, perLease },
    onGrown: (listener) => void listeners.push(listener),
  };
}

function exhausted(what: string, cause?: unknown): IsobatchError {
  return new IsobatchError("exhausted", `${what}; run it with fewer --compute-threads.`, { cause });
}
