/**
 * The rule for devices such as GPUs, on which a program may be rewritten, fused and given other layouts: a gradient's
 * bits are the program's. So the program computes every gradient, including a thread's first. For that one the model is
 * traced while it computes the micro-batch and another one derived from it; the program is compiled from the two traces
 * and proven before its numbers are used: it must give the same bits twice, and be near the operations' gradient
 * (`program-proof.ts`).
 *
 * A micro-batch's bits must not depend on which worker computes it, or when. Whether a model can be compiled depends
 * only on the model, so it is not an error if it can't: every worker then computes operation by operation. Any other
 * failure ends the worker; if it continued with the operations' bits, its gradients would differ from other workers'.
 */

import { isOutOfMemory, type Numbers } from "../../backends/index.js";
import { IsobatchError, messageOf } from "../../shared/errors.js";
import type { Addresses } from "../memory.js";
import type { CompiledGradientOptions } from "./compiled-gradient.js";
import { computeByOperations, computeByProgram, type GradientComputing } from "./gradient-computing.js";
import type { DecodedMicroBatch } from "./model-gradient.js";
import {
  type ComputedGradient,
  createModelProgram,
  type GradientResult,
  type ModelProgram,
  resultAt,
  sameBits,
} from "./model-program.js";
import { allFinite, differenceOf, nudged } from "./program-proof.js";
import { createTracing } from "./tracing.js";

export function withProgramBits({ compiler, refused, ...feeds }: CompiledGradientOptions): GradientComputing {
  const { model } = feeds;
  let computing = computeByOperations(model);
  /** The program that has to be proven; undefined once it is known how the model is computed. */
  let pending: { program?: ModelProgram } | undefined = {};

  /** @returns undefined if the model can't be compiled */
  const compiled = (batch: DecodedMicroBatch, target: Addresses): ModelProgram | undefined => {
    const tracing = createTracing(compiler);
    for (let traces = 0; ; traces++) {
      const traced = traces % 2 === 0 ? anotherThan(batch) : batch;
      const { program, refusal, fault } = tracing.watch(traced, (watch) => model.compute(traced, target, watch));
      if (program !== undefined) return createModelProgram(program, batch.samples, feeds);
      if (fault !== undefined) return ended(`it can't be compiled (${firstLineOf(fault)})`, fault);
      if (refusal !== undefined) {
        refused(refusal);
        return undefined;
      }
    }
  };

  /** The operations' gradient. @param isFinished whether to clip and round it, as a program that keeps sums does */
  const byOperations = (batch: DecodedMicroBatch, target: Addresses, isFinished: boolean): GradientResult => {
    const loss = model.compute(batch, target);
    if (isFinished) feeds.keeping!.finish(target);
    return resultAt(feeds, loss, target);
  };

  /** The same with the weights changed in their last bits. */
  const byNudged: typeof byOperations = (...of) => {
    const weights = model.currentWeights().map((values) => values.slice());
    model.setWeights(nudged(weights));
    try {
      return byOperations(...of);
    } finally {
      model.setWeights(weights);
    }
  };

  const proven = (program: ModelProgram, batch: DecodedMicroBatch, target: Addresses): ComputedGradient => {
    working(() => program.loadFromModel());
    const isFinished = working(() => program.sums) !== undefined;
    const results = {
      operations: byOperations(batch, target, isFinished),
      nudged: byNudged(batch, target, isFinished),
    };
    const [first, second] = [1, 2].map(() => {
      const computed = working(() => program.compute(batch, target));
      return { computed, result: resultAt(feeds, computed.loss, target) };
    });
    if (!sameBits(first.result, second.result)) return ended("two runs of its program gave different bits");
    // Numbers that are not finite prove nothing, and are rejected anyway: the proof is left to another micro-batch.
    if (!allFinite(results.operations) || !allFinite(results.nudged)) return second.computed;
    const difference = differenceOf({ program: second.result, ...results }, model.results);
    if (difference !== undefined) return ended(`its program differs from its operations: ${difference}`);
    pending = undefined;
    computing = computeByProgram(program, model);
    return second.computed;
  };

  return {
    load: () => computing.load(),
    compute(batch, target) {
      if (pending === undefined) return computing.compute(batch, target);
      pending.program ??= compiled(batch, target);
      const { program } = pending;
      if (program === undefined) pending = undefined;
      if (program?.samples !== batch.samples) return computing.compute(batch, target);
      return proven(program, batch, target);
    },
    sums: (batch) => computing.sums?.(batch),
    evaluate: (batch) => computing.evaluate(batch),
    dispose() {
      pending?.program?.close();
      computing.dispose();
    },
  };
}

/** Runs what a program does for the first time; the worker ends if that fails. */
function working<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    return ended(`its program fails (${firstLineOf(error)})`, error);
  }
}

/**
 * A micro-batch of the same form with another number, so that dropout draws other masks, and with its samples in
 * another order, so that all that depends on them differs. A single sample stays as it is.
 */
function anotherThan({ number, samples, inputs, labels }: DecodedMicroBatch): DecodedMicroBatch {
  return { number: number + 1, samples, inputs: rotated(inputs, samples), labels: rotated(labels, samples) };
}

function rotated<Values extends Numbers>(values: Values, samples: number): Values {
  const row = values.length / samples;
  const turned = values.slice() as Values;
  turned.copyWithin(0, row);
  turned.set(values.subarray(0, row), values.length - row);
  return turned;
}

const firstLineOf = (error: unknown): string => messageOf(error).split("\n")[0];

/** Ends the worker, because it can't compute the gradient as other workers do. */
function ended(reason: string, cause?: unknown): never {
  // `withinMemory` turns this into a sentence that says how many samples fit.
  if (isOutOfMemory(cause)) throw cause;
  throw new IsobatchError(
    "failed",
    `The model's compiled gradient can't be used here: ${reason}; set ISOBATCH_TENSORFLOW_PROGRAM=off on all workers of the ` +
      "run to compute without it, which is a separate numerics class.",
    { cause },
  );
}
