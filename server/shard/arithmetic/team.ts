import { Worker } from "node:worker_threads";
import { type ErrorCode, IsobatchError } from "../../../shared/errors.js";
import { instantiateKernels, type Kernels } from "../../../shared/kernels/index.js";
import type { StepPlan } from "../../../shared/steps/index.js";
import { began, span, traceThread } from "../../../shared/trace/index.js";
import {
  awaitFinished,
  type Board,
  createBoard,
  failureOn,
  finish,
  fitting,
  normsOf,
  post,
  take,
  takeAll,
} from "./board.js";
import type { ChunkProgram, SumNorms } from "./program.js";
import { runProgram, SCRATCH_BYTES, type SegmentArithmetic, scratchAt, updatePlan } from "./run-program.js";
import type { ChunkPlace, SegmentAddresses, SliceSegment } from "./segment.js";

/**
 * The threads of a shard that compute: the one that calls, and helpers that sleep until a batch of programs is posted
 * and then take some of it. For the caller a batch is one synchronous call, and which thread runs which program can't
 * be seen in the bits, since each has a chunk of its own.
 *
 * Helpers start with the first batch that is worth them, and never stand in its way: until they have started, the
 * caller does all the work by itself. They end with the process and never keep it alive.
 */
export interface Team {
  /**
   * Runs programs of different chunks.
   * @returns of those that update their chunk the norms, in the order of the programs
   * @throws {IsobatchError} what a program throws, once all have come to rest
   * @throws {Error} when a helper has died
   */
  run(programs: readonly ChunkProgram[], plan: StepPlan | undefined): UpdatedChunk[];
  /** The caller's own kernels over a segment. */
  kernels(segment: number): Kernels;
  /** Ends the helpers. */
  close(): void;
}

export interface UpdatedChunk {
  readonly chunk: number;
  readonly norms: SumNorms;
}

export interface TeamOptions {
  readonly segments: readonly SliceSegment[];
  readonly places: ReadonlyMap<number, ChunkPlace>;
  /** Threads that compute, the caller included. */
  readonly threads: number;
  /** For tests only: what a helper runs, and how long it may be at one program. */
  readonly helper?: URL;
  readonly patienceMs?: number;
}

/** What a helper is started with. */
export interface HelperStart {
  readonly board: Board;
  readonly segments: readonly SegmentAddresses[];
  readonly places: ReadonlyMap<number, ChunkPlace>;
  /** The address of its scratch in each segment. */
  readonly scratches: readonly number[];
  /** The ring for what it records; undefined while there is no trace. */
  readonly trace: SharedArrayBuffer | undefined;
}

/** Elements to be updated below which a batch is done almost before a helper is awake: a third of a millisecond. */
const SHARED_ELEMENTS_MIN = 2 ** 18;
/** What it takes to add or copy an element, compared with updating one. */
const KEPT_SHARE = 1 / 4;
/** A program takes about a millisecond; only a thread that is dead or hangs takes so long. */
const PATIENCE_MS = 20_000;

export function createTeam(options: TeamOptions): Team {
  const { segments, places, threads, helper = new URL("./helper-thread.js", import.meta.url) } = options;
  const arithmetic = segments.map(
    (segment): SegmentArithmetic => ({
      kernels: instantiateKernels(segment.memory),
      segment,
      scratch: scratchAt(segment.regions.take(SCRATCH_BYTES)),
    }),
  );
  let helpers: { readonly board: Board; readonly workers: readonly Worker[] } | undefined;
  let failure: Error | undefined;
  let closed = false;

  function startHelper(board: Board, number: number): Worker {
    const trace = traceThread(`shard helper ${number}`);
    const start: HelperStart = {
      board,
      segments: segments.map(({ memory, m, v, sumBytes }) => ({ memory, m, v, sumBytes })),
      places,
      scratches: segments.map(({ regions }) => regions.take(SCRATCH_BYTES)),
      trace: trace?.ring,
    };
    const worker = new Worker(helper, { workerData: start });
    const died = (cause?: unknown): void => {
      if (!closed) failure ??= new Error("A helper thread of the shard has ended.", { cause });
    };
    worker.on("error", died);
    worker.on("exit", () => {
      trace?.end();
      died();
    });
    worker.unref();
    return worker;
  }

  function startHelpers(): Board {
    const board = createBoard();
    helpers = { board, workers: Array.from({ length: threads - 1 }, (_, number) => startHelper(board, number)) };
    return board;
  }

  const runOne = (program: ChunkProgram, plan: StepPlan | undefined): SumNorms | undefined => {
    const begun = began();
    const place = places.get(program.chunk)!;
    const norms = runProgram(arithmetic[place.segment], place, program, plan && updatePlan(plan));
    span("chunk", begun, program.chunk);
    return norms;
  };

  function runTogether(board: Board, programs: readonly ChunkProgram[], plan: StepPlan | undefined): void {
    post(board, programs, plan && updatePlan(plan));
    let thrown: { readonly error: unknown } | undefined;
    for (let index = take(board); index !== undefined; index = take(board)) {
      let norms: SumNorms | undefined;
      try {
        norms = runOne(programs[index], plan);
      } catch (error) {
        thrown = { error };
        takeAll(board);
      }
      finish(board, index, norms);
    }
    if (!awaitFinished(board, options.patienceMs ?? PATIENCE_MS)) {
      failure = new Error("A helper thread of the shard has died in the middle of a step, or hangs.");
      throw failure;
    }
    if (thrown !== undefined) throw thrown.error;
    const elsewhere = failureOn(board);
    if (elsewhere === undefined) return;
    const { code, message } = elsewhere;
    throw code === undefined ? new Error(message) : new IsobatchError(code as ErrorCode, message);
  }

  const isShared = (programs: readonly ChunkProgram[]): boolean => {
    if (threads < 2 || programs.length < 2) return false;
    let work = 0;
    for (const { chunk, target } of programs) {
      work += places.get(chunk)!.length * (target === undefined ? 1 : KEPT_SHARE);
      if (work >= SHARED_ELEMENTS_MIN) return true;
    }
    return false;
  };

  return {
    run(programs, plan) {
      if (failure !== undefined) throw failure;
      const updated: UpdatedChunk[] = [];
      const note = (chunk: number, norms: SumNorms | undefined): void => {
        if (norms !== undefined) updated.push({ chunk, norms });
      };
      if (!isShared(programs)) {
        for (const program of programs) note(program.chunk, runOne(program, plan));
        return updated;
      }
      const board = helpers?.board ?? startHelpers();
      for (let rest = programs; rest.length > 0; ) {
        const batch = rest.slice(0, fitting(rest));
        rest = rest.slice(batch.length);
        runTogether(board, batch, plan);
        for (const [index, { chunk }] of batch.entries()) note(chunk, normsOf(board, index));
      }
      return updated;
    },

    kernels: (segment) => arithmetic[segment].kernels,

    close() {
      closed = true;
      for (const worker of helpers?.workers ?? []) void worker.terminate();
    },
  };
}
