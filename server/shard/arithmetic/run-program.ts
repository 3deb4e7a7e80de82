import { readSync } from "node:fs";
import type { AdamConstants, Kernels } from "../../../shared/kernels/index.js";
import { BLOCK_LENGTH } from "../../../shared/layout/index.js";
import type { ChunkProgram, Operand, SumNorms } from "./program.js";
import type { ChunkPlace, SegmentAddresses } from "./segment.js";

/**
 * Runs a chunk's program piece by piece: the piece's operands are added in a scratch buffer that stays in the nearest
 * cache, its norms are computed from there, and if they are finite the piece is updated from there. So an operand is
 * read once, a root is never written to memory, and the numbers checked are the numbers used.
 */
export function runProgram(
  { kernels, segment, scratch }: SegmentArithmetic,
  place: ChunkPlace,
  program: ChunkProgram,
  plan: UpdatePlan | undefined,
): SumNorms | undefined {
  const { operands, target } = program;
  const fromFile = operands.some(({ file }) => file !== undefined);
  const pieceLength = fromFile ? FILE_PIECE_LENGTH : BLOCK_LENGTH;
  const { trained, length } = place;
  const adder = createAdder(kernels, segment.memory, scratch, trained);
  const [only] = operands;
  const inPlace = operands.length === 1 && only.own && only.leaf === undefined;
  let squaredNorm1 = 0;
  let sum2 = 0;
  for (let from = 0; from < length; from += pieceLength) {
    const elements = Math.min(pieceLength, length - from);
    const at = 4 * from;
    if (target !== undefined) {
      if (target.raw) adder.copy(target.s1 + at, only, at, elements);
      else adder.add(target.s1 + at, target.s2 + at, operands, at, elements);
      continue;
    }
    const [s1, s2] = inPlace ? [only.s1 + at, only.s2 + at] : [scratch.s1, scratch.s2];
    if (!inPlace) adder.add(s1, s2, operands, at, elements);
    // One block at a time: this is the order in which norms are added.
    for (let block = 0; block < elements; block += BLOCK_LENGTH) {
      const blockLength = Math.min(BLOCK_LENGTH, elements - block);
      squaredNorm1 += kernels.squaredNorm(s1 + 4 * block, blockLength);
      if (trained) sum2 += kernels.sum(s2 + 4 * block, blockLength);
    }
    if (!Number.isFinite(squaredNorm1 + sum2)) break;
    updatePiece(kernels, segment, place, { from, elements, s1, s2 }, plan!);
  }
  return target === undefined ? { squaredNorm1, sum2 } : undefined;
}

/** A thread's kernels and buffers for one segment. */
export interface SegmentArithmetic {
  readonly kernels: Kernels;
  readonly segment: SegmentAddresses;
  readonly scratch: Scratch;
}

/** A thread's private buffers in a segment, each of `SCRATCH_ARRAY_BYTES`. */
export interface Scratch {
  readonly s1: number;
  readonly s2: number;
  /** Buffers for operands that are read from files. */
  readonly read1: number;
  readonly read2: number;
}

/** The part of a step's plan that the update needs. */
export interface UpdatePlan {
  readonly microBatches: number;
  /** The constants for weights that decay, and for those that do not. */
  readonly decaying: AdamConstants;
  readonly plain: AdamConstants;
}

export function updatePlan({
  coefficients,
  microBatches,
}: {
  coefficients: AdamConstants;
  microBatches: number;
}): UpdatePlan {
  return { microBatches, decaying: coefficients, plain: { ...coefficients, decay: 0 } };
}

/** The elements that are read from a file at once: a read costs as much as copying some thousands. */
const FILE_PIECE_LENGTH = 8 * BLOCK_LENGTH;
const SCRATCH_ARRAY_BYTES = 4 * FILE_PIECE_LENGTH;
export const SCRATCH_BYTES = 4 * SCRATCH_ARRAY_BYTES;

export function scratchAt(at: number): Scratch {
  const [s1, s2, read1, read2] = [0, 1, 2, 3].map((index) => at + index * SCRATCH_ARRAY_BYTES);
  return { s1, s2, read1, read2 };
}

interface Adder {
  /** Copies the first array of an operand, from byte `at` on, to `target`. */
  copy(target: number, operand: Operand, at: number, length: number): void;
  /** Sums the operands, from byte `at` of each on, into `s1` and `s2`. */
  add(s1: number, s2: number, operands: readonly Operand[], at: number, length: number): void;
}

function createAdder(kernels: Kernels, memory: WebAssembly.Memory, { read1, read2 }: Scratch, trained: boolean): Adder {
  const move = (target: number, from: number, length: number): void => {
    new Uint8Array(memory.buffer, target, 4 * length).set(new Uint8Array(memory.buffer, from, 4 * length));
  };

  /** The operand in memory that kernels can read: one in a file is read to `to1` and `to2`. */
  function present(operand: Operand, at: number, length: number, to1: number, to2: number): Present {
    const { file, leaf } = operand;
    const [s1, s2] = [operand.s1 + at, operand.s2 + at];
    if (file === undefined) return { s1, s2, leaf };
    readSums(file, new Uint8Array(memory.buffer, to1, 4 * length), s1);
    if (trained && leaf === undefined) readSums(file, new Uint8Array(memory.buffer, to2, 4 * length), s2);
    return { s1: to1, s2: to2, leaf };
  }

  function start(to1: number, to2: number, { s1, s2, leaf }: Present, length: number): void {
    if (leaf !== undefined) return kernels.leaf(s1, to1, to2, length, leaf.w1, leaf.w2);
    if (s1 === to1) return;
    move(to1, s1, length);
    if (trained) move(to2, s2, length);
  }

  function addOne(to1: number, to2: number, { s1, s2, leaf }: Present, length: number): void {
    if (leaf !== undefined) return kernels.addLeaf(s1, to1, to2, length, leaf.w1, leaf.w2);
    kernels.add(to1, s1, length);
    if (trained) kernels.add(to2, s2, length);
  }

  return {
    copy(target, operand, at, length) {
      const { s1 } = present(operand, at, length, target, target);
      if (s1 !== target) move(target, s1, length);
    },

    add(to1, to2, operands, at, length) {
      const ordered = startingWith(operands, to1 - at);
      const first = present(ordered[0], at, length, to1, to2);
      let next = 1;
      if (first.leaf === undefined && first.s1 !== to1 && ordered.length > 1) {
        // Neither of the two is a leaf: both are read, and only their sum is written.
        const second = present(ordered[1], at, length, read1, read2);
        kernels.addInto(to1, first.s1, second.s1, length);
        if (trained) kernels.addInto(to2, first.s2, second.s2, length);
        next = 2;
      } else {
        start(to1, to2, first, length);
      }
      for (; next < ordered.length; next++) {
        addOne(to1, to2, present(ordered[next], at, length, read1, read2), length);
      }
    },
  };
}

interface Present extends Pick<Operand, "s1" | "s2" | "leaf"> {}

/**
 * The operands with the better one of the first two in front, whose order makes no difference to the bits: one that is
 * stored where the sum will be must be read before it is overwritten, and a leaf is best scaled while it is copied.
 */
function startingWith(operands: readonly Operand[], target: number): readonly Operand[] {
  if (operands.length === 1) return operands;
  const [first, second, ...rest] = operands;
  const isThere = ({ s1, file }: Operand): boolean => file === undefined && s1 === target;
  if (isThere(first) || !(isThere(second) || (first.leaf === undefined && second.leaf !== undefined))) return operands;
  return [second, first, ...rest];
}

function updatePiece(
  kernels: Kernels,
  { m, v }: SegmentAddresses,
  place: ChunkPlace,
  piece: { readonly from: number; readonly elements: number; readonly s1: number; readonly s2: number },
  { decaying, plain, microBatches }: UpdatePlan,
): void {
  for (const part of place.parts) {
    const from = Math.max(part.from, piece.from);
    const length = Math.min(part.from + part.length, piece.from + piece.elements) - from;
    if (length <= 0) continue;
    const theta = part.theta + 4 * (from - part.from);
    const within = 4 * (from - piece.from);
    if (place.trained) {
      const constants = part.decays ? decaying : plain;
      kernels.adam(theta, m + theta, v + theta, piece.s1 + within, piece.s2 + within, length, constants);
    } else {
      const keep = part.momentum ** microBatches;
      kernels.average(theta, piece.s1 + within, length, keep, (1 - keep) / microBatches);
    }
  }
}

/**
 * Reads a worker's sums. If the file has been truncated meanwhile, the rest is zeros, as in mapped memory: a worker
 * that damages its own sums must not end the run.
 */
function readSums(file: number, target: Uint8Array, position: number): void {
  for (let done = 0; done < target.length; ) {
    const read = readSync(file, target, done, target.length - done, position + done);
    if (read === 0) return void target.fill(0, done);
    done += read;
  }
}
