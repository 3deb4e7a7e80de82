import { Worker } from "node:worker_threads";
import { traceThread } from "../../../shared/trace/index.js";
import { createBoard, type ProgramBoard } from "./board.js";
import { SCRATCH_BYTES } from "./run-program.js";
import type { ChunkPlace, SegmentAddresses, SliceSegment } from "./segment.js";

/** The helper threads of a team. They start when their board is first requested, and never keep the process alive. */
export interface Helpers {
  /** The board on which batches are posted for them. */
  board(): ProgramBoard;
  /** The error if one of them has died, which ends the team. */
  failure(): Error | undefined;
  close(): void;
}

export interface HelpersOptions {
  readonly segments: readonly SliceSegment[];
  readonly places: ReadonlyMap<number, ChunkPlace>;
  readonly count: number;
  /** The helpers' script. */
  readonly script: URL;
}

/** A helper's start data. */
export interface HelperStart {
  readonly board: ProgramBoard;
  readonly segments: readonly SegmentAddresses[];
  readonly places: ReadonlyMap<number, ChunkPlace>;
  /** The address of its scratch in each segment. */
  readonly scratches: readonly number[];
  /** The ring for its trace records; undefined if there is no trace. */
  readonly trace: SharedArrayBuffer | undefined;
}

export function createHelpers({ segments, places, count, script }: HelpersOptions): Helpers {
  let started: { readonly board: ProgramBoard; readonly workers: readonly Worker[] } | undefined;
  let failure: Error | undefined;
  let closed = false;

  function startHelper(board: ProgramBoard, number: number): Worker {
    const trace = traceThread(`shard helper ${number}`);
    const start: HelperStart = {
      board,
      segments: segments.map(({ memory, m, v, sumBytes }) => ({ memory, m, v, sumBytes })),
      places,
      scratches: segments.map(({ regions }) => regions.take(SCRATCH_BYTES)),
      trace: trace?.ring,
    };
    const worker = new Worker(script, { workerData: start });
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

  return {
    board() {
      if (started === undefined) {
        const board = createBoard();
        started = { board, workers: Array.from({ length: count }, (_, number) => startHelper(board, number)) };
      }
      return started.board;
    },

    failure: () => failure,

    close() {
      closed = true;
      for (const worker of started?.workers ?? []) void worker.terminate();
    },
  };
}
