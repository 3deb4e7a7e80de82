import { type ErrorCode, IsobatchError } from "../../../shared/errors.js";
import { instantiateKernels, type Kernels } from "../../../shared/kernels/index.js";
import type { StepPlan } from "../../../shared/steps/index.js";
import { began, span } from "../../../shared/trace/index.js";
import { awaitFinished, failureOn, finish, fitting, normsOf, type ProgramBoard, post, take, takeAll } from "./board.js";
import { createHelpers } from "./helpers.js";
import type { ChunkProgram, SumNorms } from "./program.js";
import {
  runProgram,
  SCRATCH_BYTES,
  type SegmentArithmetic,
  scratchAt,
  type UpdatePlan,
  updatePlan,
} from "./run-program.js";
import type { ChunkPlace, SliceSegment } from "./segment.js";

/**
 * The threads of a shard that compute: the one that calls, and helpers that sleep until a batch of programs is posted
 * and then take some of it. For the caller a batch is one synchronous call. Which thread runs which program does not
 * affect the bits, since each program has its own chunk.
 *
 * Helpers start with the first batch that is large enough, and never delay it: until they have started, the caller does
 * all the work itself. They end with the process and never keep it alive.
 */
export interface Team {
  /**
   * Runs programs of different chunks.
   * @returns the norms of the programs that update their chunk, in the order of the programs
   * @throws {IsobatchError} what a program throws, once all programs have stopped
   * @throws {Error} when a helper has died
   */
  run(programs: readonly ChunkProgram[], plan: StepPlan | undefined): UpdatedChunk[];
  /** The calling thread's kernels over a segment. */
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
  /** For tests only: the helpers' script, and how long a program may take. */
  readonly helper?: URL;
  readonly patienceMs?: number;
}

/** A batch with fewer elements to update is done almost before a helper wakes up: a third of a millisecond. */
const SHARED_ELEMENTS_MIN = 2 ** 18;
/** The cost of adding or copying an element, relative to updating one. */
const KEPT_SHARE = 1 / 4;
/** A program takes about a millisecond; only a thread that is dead or hangs takes this long. */
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
  const helpers = createHelpers({ segments, places, count: threads - 1, script: helper });
  /** Set when a program never finished. */
  let hung: Error | undefined;

  const runOne = (program: ChunkProgram, plan: UpdatePlan | undefined): SumNorms | undefined => {
    const begun = began();
    const place = places.get(program.chunk)!;
    const norms = runProgram(arithmetic[place.segment], place, program, plan);
    span("chunk", begun, program.chunk);
    return norms;
  };

  function runTogether(board: ProgramBoard, programs: readonly ChunkProgram[], plan: UpdatePlan | undefined): void {
    post(board, programs, plan);
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
      hung = new Error("A helper thread of the shard has died in the middle of a step, or hangs.");
      throw hung;
    }
    if (thrown !== undefined) throw thrown.error;
    const elsewhere = failureOn(board);
    if (elsewhere === undefined) return;
    const { code, message } = elsewhere;
    throw code === undefined ? new Error(message) : new IsobatchError(code as ErrorCode, message);
  }

  return {
    run(programs, stepPlan) {
      const failure = hung ?? helpers.failure();
      if (failure !== undefined) throw failure;
      const plan = stepPlan && updatePlan(stepPlan);
      const updated: UpdatedChunk[] = [];
      const note = (chunk: number, norms: SumNorms | undefined): void => {
        if (norms !== undefined) updated.push({ chunk, norms });
      };
      if (threads < 2 || !isWorthSharing(programs, places)) {
        for (const program of programs) note(program.chunk, runOne(program, plan));
        return updated;
      }
      const board = helpers.board();
      for (let rest = programs; rest.length > 0; ) {
        const batch = rest.slice(0, fitting(rest));
        rest = rest.slice(batch.length);
        runTogether(board, batch, plan);
        for (const [index, { chunk }] of batch.entries()) note(chunk, normsOf(board, index));
      }
      return updated;
    },

    kernels: (segment) => arithmetic[segment].kernels,

    close: helpers.close,
  };
}

function isWorthSharing(programs: readonly ChunkProgram[], places: ReadonlyMap<number, ChunkPlace>): boolean {
  if (programs.length < 2) return false;
  let work = 0;
  for (const { chunk, target } of programs) {
    work += places.get(chunk)!.length * (target === undefined ? 1 : KEPT_SHARE);
    if (work >= SHARED_ELEMENTS_MIN) return true;
  }
  return false;
}
