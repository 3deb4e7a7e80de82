/**
 * The program's bits are the gradient's: for devices on which a program may be rewritten, fused and laid out anew, as GPUs. So
 * every gradient is computed by it, a thread's first too: for that one the model is watched computing it, and computing another
 * micro-batch, which is made of it; a program is made of what was seen, and proven before its numbers are used. It must give
 * the same bits twice, and must be near the operations' gradient (`program-proof.ts`).
 *
 * Which bits a micro-batch has must not depend on whom it was computed by, and when. So what a model alone decides, that
 * it can't be compiled, is no error: every worker then computes operation by operation. All else is one, and ends the worker;
 * if it continued with the operations' bits, its gradients would be others than other workers'.
 */
import { IsobatchError, messageOf } from "../../shared/errors.js";
import type { Numbers } from "../backends/index.js";
import { isOutOfMemory } from "../backends/out-of-memory.js";
import type { CompiledGradientOptions } from "./compiled-gradient.js";
import { type Computing, computeByOperations, computeByProgram } from "./computing.js";
import type { Addresses } from "./memory.js";
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

export function withProgramBits({ compiler, refused, ...feeds }: CompiledGradientOptions): Computing {
  const { model } = feeds;
  let computing = computeByOperations(model);
  /** Until it is known how the model is computed; with the program that is not proven yet. */
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

  /** What the operations compute; `isFinished`: clipped and rounded, as the program does it. */
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
    // What is not finite proves nothing, and is not used: another micro-batch will.
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

/** What a program gives when it first works. */
function working<T>(work: () => T): T {
  try {
    return work();
  } catch (error) {
    return ended(`its program fails (${firstLineOf(error)})`, error);
  }
}

/**
 * A micro-batch of the same form in which whatever depends on the number or the samples is another: dropout's masks by its
 * number, the samples by their order. Of a single sample only the number is another.
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

/** The gradient can't be computed as other workers compute it: the worker ends. */
function ended(reason: string, cause?: unknown): never {
  // For this there is a sentence that says how many samples fit.
  if (isOutOfMemory(cause)) throw cause;
  throw new IsobatchError(
    "failed",
    `The model's compiled gradient can't be used here: ${reason}; ISOBATCH_TENSORFLOW_PROGRAM=off computes without, in a ` +
      "numerics class of its own, if all workers of the run have it.",
    { cause },
  );
}
