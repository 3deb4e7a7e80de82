/** The program of a shard beyond the first. */
import { runProgram } from "./program.js";

await runProgram(async () => (await import("./serve-shard.js")).serveShard);
