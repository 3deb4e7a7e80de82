/**
 * From computing operation by operation to one call of a program, without anyone seeing a difference. The first two
 * micro-batches are watched while they are computed; the next is computed both ways, and only if all bits are the same
 * does the program take over. So a gradient's bits never depend on which way it was computed, or on when its thread began
 * to go the other; and where a model can't be compiled, computing continues as it started.
 */
import type { Compiler } from "../backends/index.js";
import type { Addresses } from "./memory.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";
import {
  type ComputedGradient,
  createModelProgram,
  type ModelFeeds,
  type ModelProgram,
  type ModelSums,
} from "./model-program.js";
import { createTracing, type Tracing } from "./tracing.js";

/** What computes a micro-batch's gradient, whichever way. */
export interface Computing extends Pick<ModelGradient, "evaluate" | "dispose"> {
  load(): void;
  /** As `ModelGradient` does. */
  compute(batch: DecodedMicroBatch, target: Addresses): ComputedGradient;
  /** What sums gradients of such micro-batches where they are computed, once there is something that does. */
  sums?(batch: DecodedMicroBatch): ModelSums | undefined;
}

export interface CompiledGradientOptions extends ModelFeeds {
  readonly compiler: Compiler;
  /** Is called with the end of a sentence: why the model is computed operation by operation after all. */
  readonly refused: (reason: string) => void;
}

type State =
  | { readonly kind: "watching"; readonly tracing: Tracing }
  | { readonly kind: "proving" | "running"; readonly program: ModelProgram }
  | { readonly kind: "refused" };

export function compiledGradient({ compiler, refused, ...feeds }: CompiledGradientOptions): Computing {
  const { model } = feeds;
  let state: State = { kind: "watching", tracing: createTracing(compiler) };
  /** Whether the model's own weights are older than the program's. */
  let stale = false;

  const refuse = (reason: string): void => {
    if ("program" in state) state.program.close();
    state = { kind: "refused" };
    refused(reason);
  };

  const freshen = (): void => {
    if (stale && "program" in state) model.setWeights(state.program.weights());
    stale = false;
  };

  const eagerly: ModelGradient["compute"] = (batch, target, watch) => {
    freshen();
    return model.compute(batch, target, watch);
  };

  const watched = (tracing: Tracing, batch: DecodedMicroBatch, target: Addresses): number => {
    const { loss, program, refused: reason } = tracing.watch(batch, (watch) => eagerly(batch, target, watch));
    if (program !== undefined) {
      state = { kind: "proving", program: createModelProgram(program, batch.samples, feeds) };
    } else if (reason !== undefined) {
      refuse(reason);
    }
    return loss;
  };

  /** Computes both ways; what is kept is what was computed operation by operation. */
  const proven = (program: ModelProgram, batch: DecodedMicroBatch, target: Addresses): number => {
    const loss = eagerly(batch, target);
    const fault = program.faultOf(batch, target, loss);
    if (fault === undefined) state = { kind: "running", program };
    else refuse(fault);
    return loss;
  };

  return {
    load() {
      if (state.kind === "running") {
        state.program.load();
        stale = true;
      } else {
        model.loadWeights();
      }
      model.loadStatistics();
    },

    compute(batch, target) {
      if (state.kind === "watching" && state.tracing.wants(batch)) {
        return { loss: watched(state.tracing, batch, target) };
      }
      if ("program" in state && state.program.samples === batch.samples) {
        const { kind, program } = state;
        return kind === "running" ? program.compute(batch, target) : { loss: proven(program, batch, target) };
      }
      return { loss: eagerly(batch, target) };
    },

    sums: (batch) =>
      state.kind === "running" && state.program.samples === batch.samples ? state.program.sums : undefined,

    evaluate(batch) {
      freshen();
      return model.evaluate(batch);
    },

    dispose() {
      if ("program" in state) state.program.close();
      model.dispose();
    },
  };
}
