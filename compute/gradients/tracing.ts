/** Traces how a model computes micro-batches, until two of them show what a program must do. */
import { type Compiler, type Program, type Trace, UncompilableError } from "../../backends/index.js";
import type { DecodedMicroBatch, Watch } from "./model-gradient.js";

export interface Tracing {
  /** Whether this micro-batch can show anything new. */
  wants(batch: DecodedMicroBatch): boolean;
  /** Traces `compute`, which computes the micro-batch and returns its loss. */
  watch(batch: DecodedMicroBatch, compute: (watch: Watch) => number): Watched;
}

/** The loss and, unless more traces are needed, the program that was made or why there is none. */
export interface Watched {
  readonly loss: number;
  readonly program?: Program;
  /** Why the model can't be compiled, as the end of a sentence. */
  readonly refusal?: string;
  /** What the compiler threw, if the model is not the cause. */
  readonly fault?: unknown;
}

/** Two traces differ as long as a model still makes tensors that it keeps; at most this many are taken. */
const TRACES_MAX = 4;

interface Traced {
  readonly trace: Trace;
  readonly number: number;
  readonly samples: number;
}

export function createTracing(compiler: Compiler): Tracing {
  let traces = 0;
  let last: Traced | undefined;

  /** What a trace shows together with the previous one. */
  const compiled = (first: Trace, second: Trace): Omit<Watched, "loss"> => {
    try {
      return { program: compiler.compile(first, second) };
    } catch (error) {
      if (!(error instanceof UncompilableError)) return { fault: error };
      return traces === TRACES_MAX ? { refusal: error.message } : {};
    }
  };

  return {
    // Only a different micro-batch shows what depends on it.
    wants: ({ number, samples }) => last === undefined || (last.number !== number && last.samples === samples),

    watch(batch, compute) {
      let trace: Trace | undefined;
      let refusal: string | undefined;
      const loss = compute((computation) => {
        try {
          trace = compiler.trace(computation);
        } catch (error) {
          if (!(error instanceof UncompilableError)) throw error;
          refusal = error.message;
        }
      });
      if (trace === undefined) return { loss, refusal };
      const { number, samples } = batch;
      const before = last;
      last = { trace, number, samples };
      traces++;
      return before === undefined ? { loss } : { loss, ...compiled(before.trace, trace) };
    },
  };
}
