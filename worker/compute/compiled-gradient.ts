/**
 * From computing operation by operation to one call of a program, without anyone seeing a difference. The first two
 * micro-batches are watched while they are computed; the next is computed both ways, and only if all bits are the same
 * does the program take over. So a gradient's bits never depend on which way it was computed, or on when its thread began
 * to go the other; and where a model can't be compiled, computing goes on as it began.
 */
import { messageOf } from "../../shared/errors.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import { type Compiler, type Program, type Trace, UncompilableError } from "../backends/index.js";
import type { Copies } from "./copies.js";
import type { Addresses } from "./memory.js";
import type { DecodedMicroBatch, ModelGradient } from "./model-gradient.js";

/** What computes a micro-batch's gradient, whichever way. */
export interface Computing extends Pick<ModelGradient, "evaluate" | "dispose"> {
  load(): void;
  /** As `ModelGradient` does; finite: whether all that was written is finite, if that is known. */
  compute(batch: DecodedMicroBatch, target: Addresses): { loss: number; finite?: boolean };
}

export interface CompiledGradientOptions {
  readonly compiler: Compiler;
  readonly model: ModelGradient;
  /** The vector that holds a tensor's values when weights are loaded. */
  readonly weightsAt: (tensor: LayoutTensor) => Addresses;
  readonly copies: Copies;
  /** Is told, as a sentence's end, why the model is computed operation by operation after all. */
  readonly refused: (reason: string) => void;
}

/** Two traces differ as long as a model still makes tensors that it keeps; this many are taken at most. */
const TRACES_MAX = 4;

type State =
  | { readonly kind: "watching"; readonly traces: number; readonly last?: Traced }
  | { readonly kind: "proving" | "running"; readonly program: Program; readonly samples: number }
  | { readonly kind: "refused" };

interface Traced {
  readonly trace: Trace;
  readonly number: number;
  readonly samples: number;
}

export function compiledGradient({ compiler, model, weightsAt, copies, refused }: CompiledGradientOptions): Computing {
  let state: State = { kind: "watching", traces: 0 };
  /** Whether the model's own weights are older than the program's. */
  let stale = false;

  const refuse = (reason: string): void => {
    if ("program" in state) state.program.close();
    state = { kind: "refused" };
    refused(reason);
  };

  const load = (program: Program): void =>
    program.load(model.weights.map((tensor) => copies.views(tensor, weightsAt(tensor))));

  const eagerly: ModelGradient["compute"] = (batch, target, watch) => {
    if (stale && "program" in state) model.setWeights(state.program.variables());
    stale = false;
    return model.compute(batch, target, watch);
  };

  const watched = (batch: DecodedMicroBatch, target: Addresses, traces: number, last?: Traced): number => {
    let trace: Trace | undefined;
    let reason: string | undefined;
    const loss = eagerly(batch, target, (compute) => {
      try {
        trace = compiler.trace(compute);
      } catch (error) {
        if (!(error instanceof UncompilableError)) throw error;
        reason = error.message;
      }
    });
    if (trace === undefined) {
      refuse(reason!);
      return loss;
    }
    const { number, samples } = batch;
    state = { kind: "watching", traces: traces + 1, last: { trace, number, samples } };
    if (last === undefined) return loss;
    try {
      state = { kind: "proving", program: compiler.compile(last.trace, trace), samples };
    } catch (error) {
      if (traces + 1 === TRACES_MAX || !(error instanceof UncompilableError)) refuse(messageOf(error));
    }
    return loss;
  };

  const run = (program: Program, batch: DecodedMicroBatch, loss: Float32Array, results: Float32Array[][]) => {
    const draws = model.draws(batch.number);
    const drawn = program.draws.map(({ draw, shape }) => draws[draw](shape));
    return program.run([batch.inputs, batch.labels, ...drawn], [[loss], ...results]);
  };

  /** Computes both ways; what is kept is what was computed operation by operation. */
  const proven = (program: Program, batch: DecodedMicroBatch, target: Addresses): number => {
    const meanLoss = eagerly(batch, target);
    const loss = new Float32Array(1);
    const results = model.results.map((tensor) =>
      copies.views(tensor, target).map((view) => new Float32Array(view.length)),
    );
    try {
      program.load(model.currentWeights().map((values) => [values]));
      run(program, batch, loss, results);
    } catch (error) {
      refuse(messageOf(error));
      return meanLoss;
    }
    const same =
      sameBits(loss, Float32Array.of(meanLoss)) &&
      model.results.every((tensor, i) =>
        copies.views(tensor, target).every((view, j) => sameBits(view, results[i][j])),
      );
    if (same) state = { kind: "running", program, samples: batch.samples };
    else refuse("the compiled program's bits are others");
    return meanLoss;
  };

  return {
    load() {
      if (state.kind === "running") {
        load(state.program);
        stale = true;
      } else {
        model.loadWeights();
      }
      model.loadStatistics();
    },

    compute(batch, target) {
      const { number, samples } = batch;
      switch (state.kind) {
        case "watching": {
          const { traces, last } = state;
          // What hangs on the micro-batch shows only if it is another one.
          const again = last !== undefined && (last.number === number || last.samples !== samples);
          return { loss: again ? eagerly(batch, target) : watched(batch, target, traces, last) };
        }
        case "proving":
          return { loss: samples === state.samples ? proven(state.program, batch, target) : eagerly(batch, target) };
        case "running": {
          if (samples !== state.samples) return { loss: eagerly(batch, target) };
          const loss = new Float32Array(1);
          const results = model.results.map((tensor) => copies.views(tensor, target));
          const finite = run(state.program, batch, loss, results);
          return { loss: loss[0], finite };
        }
        case "refused":
          return { loss: eagerly(batch, target) };
      }
    },

    evaluate(batch) {
      if (stale && "program" in state) model.setWeights(state.program.variables());
      stale = false;
      return model.evaluate(batch);
    },

    dispose() {
      if ("program" in state) state.program.close();
      model.dispose();
    },
  };
}

function sameBits(a: Float32Array, b: Float32Array): boolean {
  const bits = ({ buffer, byteOffset, byteLength }: Float32Array): Buffer =>
    Buffer.from(buffer, byteOffset, byteLength);
  return bits(a).equals(bits(b));
}
