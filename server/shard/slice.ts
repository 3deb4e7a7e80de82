import { createKernelMemory, instantiateKernels, type Kernels } from "../../shared/kernels/index.js";
import { type Chunk, type ChunkRange, type ElementRange, type Layout, tensorParts } from "../../shared/layout/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import type { SliceState } from "../checkpoint/index.js";

/**
 * A shard's numbers: of its slice of the flat vector θ, m and v, and the staged sums, all in the kernels' memory.
 *
 * One memory a segment of the layout, each laid out as
 *
 *     θ │ m │ v │ incoming S1, S2 │ slot 0: S1, S2 │ slot 1: S1, S2 │ …
 *
 * A slot holds the sums of one chunk. Incoming sums are copied once, from gRPC's buffer to `incoming`, where they
 * are checked before anything is decided about them.
 */
export interface Slice {
  /** Copies pushed bytes into the chunk's segment. @returns whether all of them are finite numbers. */
  receive(chunk: Chunk, bytes: Uint8Array): boolean;
  /** Puts what was received into the slot; a leaf's g becomes w1·g and w2·(g·g). */
  stage(chunk: Chunk, slot: number, leaf: LeafWeightPair | undefined): void;
  /** Adds what was received to the slot. */
  accumulate(chunk: Chunk, slot: number, leaf: LeafWeightPair | undefined): void;
  merge(chunk: Chunk, into: number, from: number): void;
  /** Of the sums in the slot. */
  norms(chunk: Chunk, slot: number): SumNorms;
  /** Updates the chunk with the sums in the slot. */
  apply(chunk: Chunk, slot: number, plan: StepPlan): void;
  /** The bytes of the chunk's weights, in place: they change with the next `apply`. */
  weights(chunk: Chunk): Buffer;
  /** A copy of everything. */
  snapshot(): SliceState;
  /** Lets `read` fill θ, m and v of one range of elements after the other. */
  restore<T>(read: (into: SliceState, range: ElementRange) => T): T;
}

/** In float64, which no square and no sum of float32 overflows: they are finite just if all the sums are. */
export interface SumNorms {
  /** |S1|² */
  readonly squaredNorm1: number;
  /** Σ S2; 0 in the tail, which has none. */
  readonly sum2: number;
}

/** Weights of a leaf in S1 and in S2. */
export interface LeafWeightPair {
  readonly w1: number;
  readonly w2: number;
}

/** Bytes that pushed sums of a chunk must have. */
export function sumsBytes(chunk: Chunk, leaves: number): number {
  return chunk.length * 4 * (chunk.kind === "parameter" && leaves > 1 ? 2 : 1);
}

interface SliceSegment {
  readonly memory: WebAssembly.Memory;
  readonly kernels: Kernels;
  /** In the flat vector. */
  readonly offset: number;
  readonly length: number;
  readonly parameters: number;
  /** Addresses in bytes. */
  readonly m: number;
  readonly v: number;
  readonly incoming: number;
  readonly slots: number;
  /** From S1 to S2, and twice that from slot to slot. */
  readonly sumBytes: number;
}

const aligned = (elements: number): number => Math.ceil((elements * 4) / 64) * 64;

export function createSlice(layout: Layout, range: ChunkRange): Slice {
  const chunks = layout.chunks.slice(range.firstChunk, range.endChunk);
  const segments = new Map<number, SliceSegment>();
  for (const index of new Set(chunks.map((chunk) => chunk.segment))) {
    segments.set(
      index,
      createSegment(
        layout,
        chunks.filter((chunk) => chunk.segment === index),
      ),
    );
  }
  const runsOf = new Map(chunks.map((chunk) => [chunk.index, tensorParts(layout, chunk.offset, chunk.length)]));

  const segmentOf = (chunk: Chunk): SliceSegment => segments.get(chunk.segment)!;
  const view = (segment: SliceSegment, at: number, length: number): Float32Array =>
    new Float32Array(segment.memory.buffer, at, length);
  const thetaAt = (segment: SliceSegment, offset: number): number => (offset - segment.offset) * 4;

  function slotAt(segment: SliceSegment, slot: number): number {
    const at = segment.slots + slot * 2 * segment.sumBytes;
    const missing = at + 2 * segment.sumBytes - segment.memory.buffer.byteLength;
    if (missing > 0) segment.memory.grow(Math.ceil(missing / 65_536));
    return at;
  }

  const stateOf = (segment: SliceSegment): SliceState => ({
    theta: view(segment, 0, segment.length),
    m: view(segment, segment.m, segment.parameters),
    v: view(segment, segment.v, segment.parameters),
  });

  return {
    receive(chunk, bytes) {
      const segment = segmentOf(chunk);
      const half = chunk.length * 4;
      const target = new Uint8Array(segment.memory.buffer);
      target.set(bytes.length > half ? bytes.subarray(0, half) : bytes, segment.incoming);
      if (bytes.length > half) target.set(bytes.subarray(half), segment.incoming + segment.sumBytes);
      const { kernels, incoming } = segment;
      return (
        kernels.allFinite(incoming, chunk.length) &&
        (bytes.length === half || kernels.allFinite(incoming + segment.sumBytes, chunk.length))
      );
    },

    stage(chunk, slot, leaf) {
      const segment = segmentOf(chunk);
      const { kernels, memory, incoming, sumBytes } = segment;
      const at = slotAt(segment, slot);
      if (leaf !== undefined && chunk.kind === "parameter") {
        return kernels.leaf(incoming, at, at + sumBytes, chunk.length, leaf.w1, leaf.w2);
      }
      const bytes = new Uint8Array(memory.buffer);
      bytes.copyWithin(at, incoming, incoming + chunk.length * 4);
      if (chunk.kind !== "parameter") return;
      bytes.copyWithin(at + sumBytes, incoming + sumBytes, incoming + sumBytes + chunk.length * 4);
    },

    accumulate(chunk, slot, leaf) {
      const segment = segmentOf(chunk);
      const { kernels, incoming, sumBytes } = segment;
      const at = slotAt(segment, slot);
      if (chunk.kind !== "parameter") return kernels.add(at, incoming, chunk.length);
      if (leaf !== undefined) return kernels.addLeaf(incoming, at, at + sumBytes, chunk.length, leaf.w1, leaf.w2);
      kernels.add(at, incoming, chunk.length);
      kernels.add(at + sumBytes, incoming + sumBytes, chunk.length);
    },

    merge(chunk, into, from) {
      const segment = segmentOf(chunk);
      const { kernels, sumBytes } = segment;
      const [target, source] = [slotAt(segment, into), slotAt(segment, from)];
      kernels.add(target, source, chunk.length);
      if (chunk.kind === "parameter") kernels.add(target + sumBytes, source + sumBytes, chunk.length);
    },

    norms(chunk, slot) {
      const segment = segmentOf(chunk);
      const { kernels, sumBytes } = segment;
      const at = slotAt(segment, slot);
      const sum2 = chunk.kind === "parameter" ? kernels.sum(at + sumBytes, chunk.length) : 0;
      return { squaredNorm1: kernels.squaredNorm(at, chunk.length), sum2 };
    },

    apply(chunk, slot, plan) {
      const segment = segmentOf(chunk);
      const { kernels, sumBytes } = segment;
      const at = slotAt(segment, slot);
      const { coefficients } = plan;
      for (const { tensor, offset, from, to } of runsOf.get(chunk.index)!) {
        const theta = thetaAt(segment, offset);
        const s1 = at + (offset - chunk.offset) * 4;
        const length = to - from;
        if (chunk.kind === "tail") {
          const keep = (tensor.momentum ?? 0) ** plan.microBatches;
          kernels.average(theta, s1, length, keep, (1 - keep) / plan.microBatches);
        } else {
          const decay = tensor.decay ? coefficients.decay : 0;
          const [m, v] = [segment.m + theta, segment.v + theta];
          kernels.adam(theta, m, v, s1, s1 + sumBytes, length, { ...coefficients, decay });
        }
      }
    },

    weights(chunk) {
      const segment = segmentOf(chunk);
      return Buffer.from(segment.memory.buffer, thetaAt(segment, chunk.offset), chunk.length * 4);
    },

    snapshot() {
      const states = [...segments.values()].map(stateOf);
      const joined = (pick: (state: SliceState) => Float32Array): Float32Array => {
        const whole = new Float32Array(states.reduce((length, state) => length + pick(state).length, 0));
        let at = 0;
        for (const state of states) {
          whole.set(pick(state), at);
          at += pick(state).length;
        }
        return whole;
      };
      return { theta: joined(({ theta }) => theta), m: joined(({ m }) => m), v: joined(({ v }) => v) };
    },

    restore(read) {
      let result: ReturnType<typeof read> | undefined;
      for (const segment of segments.values()) {
        const { offset, length } = segment;
        result = read(stateOf(segment), { firstElement: offset, endElement: offset + length });
      }
      return result!;
    },
  };
}

function createSegment(layout: Layout, chunks: readonly Chunk[]): SliceSegment {
  const offset = chunks[0].offset;
  const length = chunks.reduce((sum, chunk) => sum + chunk.length, 0);
  const parameters = Math.max(0, Math.min(offset + length, layout.parameters) - offset);
  const sumBytes = aligned(Math.max(...chunks.map((chunk) => chunk.length)));
  const m = aligned(length);
  const v = m + aligned(parameters);
  const incoming = v + aligned(parameters);
  const slots = incoming + 2 * sumBytes;
  const memory = createKernelMemory(slots);
  return { memory, kernels: instantiateKernels(memory), offset, length, parameters, m, v, incoming, slots, sumBytes };
}
