/**
 * What a backend that can compile offers: it watches a computation twice, and makes one call of it. The call computes
 * what it has seen. What changes from one computation to the next must be named as an input, and the compiler refuses where it
 * finds anything else that does.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { GradientForm, ProgramSums } from "./program-sums.js";

export type Numbers = Float32Array | Int32Array | Uint8Array;

/** What a computation worked on. */
export interface Computation {
  /** Float32; they keep their values from one run to the next until others are loaded. */
  readonly variables: readonly Tensor[];
  /** They have other values in each run. */
  readonly inputs: readonly Tensor[];
  /** The keys that its random numbers were drawn by, each two integers of 32 bits: a key draws the same ones again. */
  readonly draws: readonly Int32Array[];
  /** Float32; undefined: it has none of this number, and a program writes zeros. */
  readonly outputs: readonly (Tensor | undefined)[];
}

export interface Compiler {
  /**
   * Whose bits a gradient has where a program can be made: the operations', so that a program is used only if it has the same;
   * or the program's own, so that every gradient must be computed by it, also the first.
   */
  readonly bits: "operations" | "program";
  /**
   * Computes, and remembers how. The outputs stay the caller's.
   * @throws {UncompilableError} after computing all the same, if it can't be compiled.
   */
  trace(computation: () => Computation): Trace;
  /**
   * Makes a program of what two traces, of other inputs and draws, have in common.
   * @throws {UncompilableError} if they differ in anything but inputs, variables and draws.
   */
  compile(first: Trace, second: Trace): Program;
}

/** Of one compiler only. */
export interface Trace {
  readonly operations: number;
}

/** The size of the graph that a program computes. */
export interface ProgramSize {
  /** Those that compute something. */
  readonly operations: number;
  /** What the graph holds in itself, as it is written. */
  readonly constantBytes: number;
}

export interface Program {
  readonly size?: ProgramSize;
  /** Which of the draws' keys each run takes besides the inputs. */
  readonly draws: readonly number[];
  /** Sets the variables: of each the arrays that its elements lie in, one after the other. */
  load(variables: readonly (readonly Float32Array[])[]): void;
  /** The values last loaded, a new array for each variable. */
  variables(): Float32Array[];
  /**
   * Computes once.
   * @param inputs of the shapes and types that were traced; then the keys of `draws`.
   * @param outputs of each output the arrays to write its elements to, one after the other.
   * @returns whether all that was written is finite, if the program has looked.
   */
  run(inputs: readonly Numbers[], outputs: readonly (readonly Float32Array[])[]): boolean | undefined;
  /** Makes it keep sums of its outputs, which can be done once; undefined where it can't. */
  sums?(form: GradientForm): ProgramSums;
  close(): void;
}

/** A computation can't be made a program; the message is the reason, as the end of a sentence. */
export class UncompilableError extends Error {
  override readonly name = "UncompilableError";
}
