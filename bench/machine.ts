import { cpus } from "node:os";
import { availableCores } from "../shared/machine/index.js";

/** The machine that a benchmark ran on. */
export interface BenchMachine {
  readonly cpu: string;
  readonly cores: number;
  readonly node: string;
}

export const benchMachine = (): BenchMachine => ({
  cpu: cpus()[0].model,
  cores: availableCores(),
  node: process.version,
});
