/**
 * The rule for devices such as CPUs, on which a program can have the operations' bits: a thread switches from single
 * operations to one call of a program, and no bit changes. The first two micro-batches are traced while they are
 * computed; the next is computed both ways, and only if all bits are the same does the program take over. So a
 * gradient's bits never depend on the way it was computed, or on when its thread switched; and a model that can't be
 * compiled is computed by operations throughout.
 */
import { messageOf } from "../../shared/errors.js";
import type { Addresses } from "../memory.js";
import type { CompiledGradientOptions } from "./compiled-gradient.js";
import { computeByOperations, computeByProgram, type GradientComputing } from "./gradient-computing.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import { createModelProgram, type ModelProgram, resultAt, sameBits } from "./model-program.js";
import { createTracing, type Tracing } from "./tracing.js";

/** What remains to be done before it is known how the model is computed. */
type Pending =
  | { readonly kind: "watching"; readonly tracing: Tracing }
  | { readonly kind: "proving"; readonly program: ModelProgram };

export function withOperationsBits({ compiler, refused, ...feeds }: CompiledGradientOptions): GradientComputing {
  const { model } = feeds;
  let computing = computeByOperations(model);
  let pending: Pending | undefined = { kind: "watching", tracing: createTracing(compiler) };

  const refuse = (reason: string): void => {
    if (pending?.kind === "proving") pending.program.close();
    pending = undefined;
    refused(reason);
  };

  const watched = (tracing: Tracing, batch: DecodedMicroBatch, target: Addresses): number => {
    const { loss, program, refusal, fault } = tracing.watch(batch, (watch) => model.compute(batch, target, watch));
    if (program !== undefined) {
      pending = { kind: "proving", program: createModelProgram(program, batch.samples, feeds) };
    } else if (refusal !== undefined) {
      refuse(refusal);
    } else if (fault !== undefined) {
      refuse(messageOf(fault));
    }
    return loss;
  };

  /** Computes both ways, and keeps what was computed operation by operation. */
  const proven = (program: ModelProgram, batch: DecodedMicroBatch, target: Addresses): number => {
    const loss = model.compute(batch, target);
    try {
      program.loadFromModel();
      if (sameBits(program.result(batch), resultAt(feeds, loss, target))) {
        pending = undefined;
        computing = computeByProgram(program, model);
      } else {
        refuse("the compiled program gives different bits");
      }
    } catch (error) {
      refuse(messageOf(error));
    }
    return loss;
  };

  return {
    load: () => computing.load(),
    compute(batch, target) {
      if (pending?.kind === "watching" && pending.tracing.wants(batch)) {
        return { loss: watched(pending.tracing, batch, target) };
      }
      if (pending?.kind === "proving" && pending.program.samples === batch.samples) {
        return { loss: proven(pending.program, batch, target) };
      }
      return computing.compute(batch, target);
    },
    sums: (batch) => computing.sums?.(batch),
    evaluate: (batch) => computing.evaluate(batch),
    dispose() {
      if (pending?.kind === "proving") pending.program.close();
      computing.dispose();
    },
  };
}
