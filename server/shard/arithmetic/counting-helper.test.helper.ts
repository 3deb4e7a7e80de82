/** A thread that takes every program that is posted, and counts how often it has taken each. */
import { workerData } from "node:worker_threads";
import { awaitBatch, finish, type ProgramBoard, take } from "./board.js";

const { board, taken } = workerData as { board: ProgramBoard; taken: Int32Array };
for (;;) {
  awaitBatch(board);
  for (let index = take(board); index !== undefined; index = take(board)) {
    Atomics.add(taken, index, 1);
    finish(board, index, undefined);
  }
}
