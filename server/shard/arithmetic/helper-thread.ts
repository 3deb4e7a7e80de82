/** A helper thread of a shard: runs programs from the board for as long as its process runs. */
import { workerData } from "node:worker_threads";
import { IsobatchError, messageOf } from "../../../shared/errors.js";
import { instantiateKernels } from "../../../shared/kernels/index.js";
import { began, joinTrace, span } from "../../../shared/trace/index.js";
import { awaitBatch, fail, finish, planOn, programAt, take } from "./board.js";
import type { HelperStart } from "./helpers.js";
import type { SumNorms } from "./program.js";
import { runProgram, scratchAt } from "./run-program.js";

const { board, segments, places, scratches, trace } = workerData as HelperStart;
joinTrace(trace);
const arithmetic = segments.map((segment, index) => ({
  kernels: instantiateKernels(segment.memory),
  segment,
  scratch: scratchAt(scratches[index]),
}));

for (;;) {
  awaitBatch(board);
  for (let index = take(board); index !== undefined; index = take(board)) {
    let norms: SumNorms | undefined;
    try {
      const begun = began();
      const program = programAt(board, index);
      const place = places.get(program.chunk)!;
      norms = runProgram(arithmetic[place.segment], place, program, planOn(board));
      span("chunk", begun, program.chunk);
    } catch (error) {
      fail(board, { message: messageOf(error), code: error instanceof IsobatchError ? error.code : undefined });
    }
    finish(board, index, norms);
  }
}
