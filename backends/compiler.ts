/**
 * What a backend that can compile offers: it watches a computation twice and turns it into a single call, which
 * computes what was seen. Anything that changes from one computation to the next must be named as an input; the
 * compiler refuses a computation in which anything else changes.
 */
import type { Tensor } from "@tensorflow/tfjs-core";
import type { GradientForm, ProgramSums } from "./program-sums.js";

export type Numbers = Float32Array | Int32Array | Uint8Array;

/** What a computation took and produced. */
export interface Computation {
  /** Float32; they keep their values from one run to the next until others are loaded. */
  readonly variables: readonly Tensor[];
  /** They have different values in each run. */
  readonly inputs: readonly Tensor[];
  /**
   * The keys that its random numbers were drawn by, each two integers of 32 bits. The same key draws the same numbers.
   */
  readonly draws: readonly Int32Array[];
  /** Float32; undefined: there is no output at this index, and a program writes zeros. */
  readonly outputs: readonly (Tensor | undefined)[];
}

export interface Compiler {
  /**
   * Whose bits a gradient has where a program can be made: the operations', so that a program is used only if it has
   * the same bits; or the program's own, so that every gradient, the first included, must be computed by it.
   */
  readonly bits: "operations" | "program";
  /**
   * Computes, and records how. The outputs belong to the caller.
   * @throws {UncompilableError} if it can't be compiled; it has been computed all the same.
   */
  trace(computation: () => Computation): Trace;
  /**
   * Makes a program of what two traces, with different inputs and draws, have in common.
   * @throws {UncompilableError} if they differ in anything but inputs, variables and draws.
   */
  compile(first: Trace, second: Trace): Program;
}

/** A recorded computation. Only the compiler that made it can read it. */
export interface Trace {
  readonly operations: number;
}

/** The size of the graph that a program computes. */
export interface ProgramSize {
  /** The number of operations that compute something. */
  readonly operations: number;
  /** The size of the graph's constants as encoded. */
  readonly constantBytes: number;
}

export interface Program {
  readonly size?: ProgramSize;
  /** The indices of the draws whose keys each run takes after the inputs. */
  readonly draws: readonly number[];
  /** Sets the variables. Each is given as the arrays that hold its elements, in order. */
  load(variables: readonly (readonly Float32Array[])[]): void;
  /** The values last loaded, a new array for each variable. */
  variables(): Float32Array[];
  /**
   * Computes once.
   * @param inputs of the shapes and types that were traced; then the keys of `draws`.
   * @param outputs for each output the arrays to write its elements to, in order.
   * @returns whether everything that was written is finite; undefined if the program does not check.
   */
  run(inputs: readonly Numbers[], outputs: readonly (readonly Float32Array[])[]): boolean | undefined;
  /** Makes the program keep sums of its outputs; to be called once. Undefined if it can't keep sums. */
  sums?(form: GradientForm): ProgramSums;
  close(): void;
}

/** A computation can't be made a program; the message is the reason, as the end of a sentence. */
export class UncompilableError extends Error {
  override readonly name = "UncompilableError";
}
