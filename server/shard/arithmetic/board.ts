import type { AdamConstants } from "../../../shared/kernels/index.js";
import type { ChunkProgram, Operand, SumNorms } from "./program.js";
import { type UpdatePlan, updatePlan } from "./run-program.js";

/**
 * The work of a shard's threads: a batch of programs, as numbers in shared memory. One thread posts a batch; then all
 * threads take programs, one at a time, until none is left, and each program is marked when it is done.
 *
 * A program is taken by counting AVAILABLE down by compare-and-exchange, and everything else of a batch is written
 * before AVAILABLE is raised from 0: so a thread that succeeds has an index into the batch that is now on the board,
 * however long it has slept, and no program is ever taken twice.
 */
export interface ProgramBoard {
  readonly control: Int32Array;
  /** Where the record of each program starts. */
  readonly starts: Int32Array;
  /** The plan, then the records. */
  readonly numbers: Float64Array;
  /** The first failure, as JSON. */
  readonly failure: Uint8Array;
}

/** Indexes of `control`. */
const AVAILABLE = 0;
const UNFINISHED = 1;
const FAILURE_BYTES = 2;

const NUMBERS_MAX = 65_536;
const FAILURE_BYTES_MAX = 2_000;

const CONSTANTS = ["mKeep", "mAdd", "vKeep", "vAdd", "stepSize", "vScale", "epsilon", "decay"] as const;
/** Whether there is a plan, its micro-batches, `squareOfSum`, the constants. */
const PLAN_NUMBERS = 3 + CONSTANTS.length;
/** The chunk, what the target is, its two addresses, how many operands; three more for the norms. */
const HEAD_NUMBERS = 8;
const NORMS_AT = 5;
const OPERAND_NUMBERS = 7;
const TARGETS = ["update", "sum", "raw"] as const;

export function createBoard(): ProgramBoard {
  const numbers = new Float64Array(new SharedArrayBuffer(8 * NUMBERS_MAX));
  return {
    control: new Int32Array(new SharedArrayBuffer(4 * 3)),
    starts: new Int32Array(new SharedArrayBuffer(4 * Math.ceil(NUMBERS_MAX / HEAD_NUMBERS))),
    numbers,
    failure: new Uint8Array(new SharedArrayBuffer(FAILURE_BYTES_MAX)),
  };
}

/** How many of the programs, from the first on, fit on the board together; at least one. */
export function fitting(programs: readonly ChunkProgram[]): number {
  let numbers = PLAN_NUMBERS;
  let count = 0;
  for (const { operands } of programs) {
    numbers += HEAD_NUMBERS + operands.length * OPERAND_NUMBERS;
    if (numbers > NUMBERS_MAX) break;
    count++;
  }
  return Math.max(1, count);
}

/** Puts a batch on the empty board and wakes the threads that wait for it. */
export function post(board: ProgramBoard, programs: readonly ChunkProgram[], plan: UpdatePlan | undefined): void {
  const { control, starts, numbers } = board;
  const write = (at: number, values: readonly number[]): number => {
    numbers.set(values, at);
    return at + values.length;
  };
  let at = write(0, plan === undefined ? [0] : [1, plan.microBatches, Number(plan.decaying.squareOfSum)]);
  if (plan !== undefined)
    write(
      at,
      CONSTANTS.map((name) => plan.decaying[name]),
    );
  at = PLAN_NUMBERS;
  for (const [index, { chunk, target, operands }] of programs.entries()) {
    starts[index] = at;
    const kind = TARGETS.indexOf(target === undefined ? "update" : target.raw ? "raw" : "sum");
    at = write(at, [chunk, kind, target?.s1 ?? 0, target?.s2 ?? 0, operands.length, 0, 0, 0]);
    for (const { s1, s2, file, leaf, own } of operands) {
      at = write(at, [s1, s2, file ?? -1, Number(leaf !== undefined), leaf?.w1 ?? 0, leaf?.w2 ?? 0, Number(own)]);
    }
  }
  Atomics.store(control, FAILURE_BYTES, 0);
  Atomics.store(control, UNFINISHED, programs.length);
  Atomics.store(control, AVAILABLE, programs.length);
  Atomics.notify(control, AVAILABLE);
}

/** Waits until there is a batch. Only for threads that may sleep forever. */
export function awaitBatch({ control }: ProgramBoard): void {
  Atomics.wait(control, AVAILABLE, 0);
}

/** @returns the index of a program that is now the caller's to run; undefined if none is left */
export function take({ control }: ProgramBoard): number | undefined {
  for (;;) {
    const available = Atomics.load(control, AVAILABLE);
    if (available === 0) return undefined;
    if (Atomics.compareExchange(control, AVAILABLE, available, available - 1) === available) return available - 1;
  }
}

/** Takes all remaining programs without running them. */
export function takeAll({ control }: ProgramBoard): void {
  const dropped = Atomics.exchange(control, AVAILABLE, 0);
  Atomics.sub(control, UNFINISHED, dropped);
}

export function programAt({ starts, numbers }: ProgramBoard, index: number): ChunkProgram {
  const at = starts[index];
  const [chunk, kind, s1, s2, count] = numbers.subarray(at, at + HEAD_NUMBERS);
  const operands = Array.from({ length: count }, (_, i): Operand => {
    const from = at + HEAD_NUMBERS + i * OPERAND_NUMBERS;
    const [first, second, file, isLeaf, w1, w2, own] = numbers.subarray(from, from + OPERAND_NUMBERS);
    return {
      s1: first,
      s2: second,
      file: file < 0 ? undefined : file,
      leaf: isLeaf === 1 ? { w1, w2 } : undefined,
      own: own === 1,
    };
  });
  const target = TARGETS[kind] === "update" ? undefined : { s1, s2, raw: TARGETS[kind] === "raw" };
  return { chunk, operands, target };
}

export function planOn({ numbers }: ProgramBoard): UpdatePlan | undefined {
  const [given, microBatches, squareOfSum, ...rest] = numbers.subarray(0, PLAN_NUMBERS);
  if (given === 0) return undefined;
  const constants = Object.fromEntries(CONSTANTS.map((name, i) => [name, rest[i]]));
  const coefficients = { ...constants, squareOfSum: squareOfSum === 1 } as unknown as AdamConstants;
  return updatePlan({ coefficients, microBatches });
}

/** Marks a taken program as done. */
export function finish({ control, starts, numbers }: ProgramBoard, index: number, norms: SumNorms | undefined): void {
  const { squaredNorm1 = 0, sum2 = 0 } = norms ?? {};
  numbers.set([Number(norms !== undefined), squaredNorm1, sum2], starts[index] + NORMS_AT);
  if (Atomics.sub(control, UNFINISHED, 1) === 1) Atomics.notify(control, UNFINISHED);
}

export function normsOf({ starts, numbers }: ProgramBoard, index: number): SumNorms | undefined {
  const at = starts[index] + NORMS_AT;
  const [given, squaredNorm1, sum2] = numbers.subarray(at, at + 3);
  return given === 1 ? { squaredNorm1, sum2 } : undefined;
}

/** An error in another thread, in the form in which it is passed on. */
export interface BoardFailure {
  readonly message: string;
  /** The code of an `IsobatchError`. */
  readonly code?: string;
}

/** Records that a taken program could not be run; the batch's first failure is kept. */
export function fail({ control, failure }: ProgramBoard, { message, code }: BoardFailure): void {
  const text = JSON.stringify({ message: message.slice(0, FAILURE_BYTES_MAX / 8), code });
  const bytes = new TextEncoder().encode(text);
  if (Atomics.compareExchange(control, FAILURE_BYTES, 0, -1) === 0) {
    failure.set(bytes);
    Atomics.store(control, FAILURE_BYTES, bytes.length);
  }
}

export function failureOn({ control, failure }: ProgramBoard): BoardFailure | undefined {
  const length = Atomics.load(control, FAILURE_BYTES);
  return length === 0 ? undefined : JSON.parse(new TextDecoder().decode(failure.slice(0, length)));
}

/**
 * Waits until all programs that were taken are done.
 * @returns whether they are; false if none was finished for `patienceMs`
 */
export function awaitFinished({ control }: ProgramBoard, patienceMs: number): boolean {
  // In short waits, so that a process that was suspended meanwhile is not mistaken for one that hangs.
  const waitMs = patienceMs / WAITS;
  let waits = 0;
  for (let unfinished = Atomics.load(control, UNFINISHED); unfinished > 0; ) {
    if (Atomics.wait(control, UNFINISHED, unfinished, waitMs) === "timed-out") waits++;
    const now = Atomics.load(control, UNFINISHED);
    if (now !== unfinished) waits = 0;
    else if (waits >= WAITS) return false;
    unfinished = now;
  }
  return true;
}

const WAITS = 100;
