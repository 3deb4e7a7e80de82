/**
 * Errors for indices that a layer has no row for: unless they are noticed before the look-up, the result is wrong or
 * the process crashes.
 */
import { IsobatchError } from "../../shared/errors.js";
import { describeIndexFault, type IndexFault, type Layer, type UntracedLookUp } from "../../tasks/index.js";

/** @param batch the batch in words, e.g. "micro-batch 7" */
export function indexError(batch: string, fault: IndexFault): IsobatchError {
  const { sample, element } = fault;
  return new IsobatchError(
    "invalid_input",
    `Number ${element} of sample ${sample} of ${batch}, both counted from 0, ${describeIndexFault(fault)}; correct the data.`,
  );
}

/** A wrong index that a layer has found; the layer does not know which batch it is in. */
class UntracedIndexError extends Error {
  override readonly name = "UntracedIndexError";

  constructor(
    readonly sample: number,
    readonly description: string,
  ) {
    super(`a number of sample ${sample} ${description}`);
  }
}

/** Runs `compute`, and names the batch in the error if a layer was given an index that it has no row for. */
export function namingBatch<T>(batch: string, compute: () => T): T {
  try {
    return compute();
  } catch (error) {
    if (!(error instanceof UntracedIndexError)) throw error;
    const { sample, description } = error;
    throw new IsobatchError(
      "invalid_input",
      `A number that the model computes of sample ${sample} of ${batch}, counted from 0, ${description}; correct the data, or the ` +
        "layers before it.",
    );
  }
}

/**
 * Makes layers that look up what other layers have computed check it first. That reads values back from the backend, so
 * the gradient can't be compiled; layers that look up the data's own numbers do not need it.
 */
export function checkUntraced(lookUps: readonly UntracedLookUp[]): void {
  for (const { instance, ...layer } of lookUps) {
    const call = instance.call.bind(instance);
    instance.call = (inputs, options) => {
      const input = firstOf(inputs);
      const [samples] = input.shape;
      for (const [i, value] of input.dataSync().entries()) {
        if (value >= 0 && value < layer.limit && Math.trunc(value) === value) continue;
        throw new UntracedIndexError(Math.floor((i * samples) / input.size), describeIndexFault({ value, layer }));
      }
      return call(inputs, options);
    };
  }
}

type Inputs = Parameters<Layer["call"]>[0];

function firstOf(inputs: Inputs): Exclude<Inputs, unknown[]> {
  return Array.isArray(inputs) ? inputs[0] : inputs;
}
