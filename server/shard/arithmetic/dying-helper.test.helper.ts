/** A helper thread that takes a program and dies over it. */
import { workerData } from "node:worker_threads";
import { awaitBatch, take } from "./board.js";
import type { HelperStart } from "./helpers.js";

const { board } = workerData as HelperStart;
do awaitBatch(board);
while (take(board) === undefined);
process.exit();
