/** The program that trains an experiment's runs. */
import { runProgram } from "./program.js";

await runProgram(async () => (await import("./train-runs.js")).trainRuns);
