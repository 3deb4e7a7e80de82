/** The program of a worker that `train` has started. */
import { runProgram } from "./program.js";

await runProgram(async () => (await import("./work.js")).work);
