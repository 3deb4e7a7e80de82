/** The gradient of a model that a compiler may make a program of, under the compiler's rule for its bits. */
import type { Compiler } from "../../backends/index.js";
import type { GradientComputing } from "./gradient-computing.js";
import type { ModelFeeds } from "./model-program.js";
import { withOperationsBits } from "./operations-bits.js";
import { withProgramBits } from "./program-bits.js";

export interface CompiledGradientOptions extends ModelFeeds {
  readonly compiler: Compiler;
  /**
   * Called with the reason, as the end of a sentence, if the model has to be computed operation by operation after all.
   */
  readonly refused: (reason: string) => void;
}

export const compiledGradient = (options: CompiledGradientOptions): GradientComputing =>
  options.compiler.bits === "operations" ? withOperationsBits(options) : withProgramBits(options);
