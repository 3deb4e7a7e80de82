/** A backend's results for a case, compared with those of Keras. */
import * as core from "@tensorflow/tfjs-core";
import { messageOf } from "../../shared/errors.js";
import { refusal } from "../../tasks/index.js";
import { type BuiltCase, buildCase, inputTensors, type KerasCase, type LayerSpec, numbers } from "./cases.js";

/**
 * Errors relative to the tensor's length (the root of its sum of squares), or to 1 if that is larger. Projections are
 * compared; the projection of an error is about its length divided by √3.
 */
export interface Errors {
  readonly output: number;
  /** The largest error among the gradients for the weights and the inputs. */
  readonly gradients: number;
}

export type Compared = ({ readonly refused?: undefined } & Errors) | { readonly refused: string };

/** The largest errors that pass, for float32 compared with float64. */
export const TOLERANCE: Errors = { output: 2e-6, gradients: 5e-6 };

export function isRight(compared: Compared): boolean {
  if (compared.refused !== undefined) return true;
  return compared.output <= TOLERANCE.output && compared.gradients <= TOLERANCE.gradients;
}

/** Computes a case on the current backend. */
export function compare(example: KerasCase, batch: number): Compared {
  const reason = refusalOf(example.layers);
  if (reason !== undefined) return { refused: reason };
  let built: BuiltCase;
  try {
    built = buildCase(example);
  } catch (error) {
    // A model that tfjs can't build is refused with the message of tfjs, before the start.
    return { refused: messageOf(error) };
  }
  try {
    return core.tidy(() => ({ ...errorsOf(example, built, batch) }));
  } finally {
    built.model.dispose();
  }
}

function refusalOf(layers: readonly LayerSpec[]): string | undefined {
  for (const { layer, model, of: _of, ...fields } of layers) {
    const reason = model !== undefined ? refusalOf(model.layers) : layer && refusal(layer, fields);
    if (reason) return reason;
  }
  return undefined;
}

function errorsOf(example: KerasCase, { model, weights, trained }: BuiltCase, batch: number): Errors {
  const real: core.Variable[] = [];
  const inputs = inputTensors(example, batch).map((input) => {
    if (input.dtype !== "float32") return input;
    real.push(core.variable(input));
    return real[real.length - 1];
  });
  const variables = [...weights.slice(0, trained).map((weight) => weight.read() as core.Variable), ...real];
  const given = inputs.length === 1 ? inputs[0] : inputs;
  let y: core.Tensor | undefined;
  const { grads } = core.variableGrads(() => {
    y = core.keep(model.apply(given, { training: example.training ?? true }) as core.Tensor);
    const factors = core.tensor(numbers(`${example.name}/loss`, y.size), y.shape);
    return core.sum(core.mul(y, factors)) as core.Scalar;
  }, variables);
  const output = y!.dataSync();
  const shape = y!.shape.slice(1);
  core.dispose([y!, ...real]);
  const declared = model.outputs[0].shape.slice(1);
  if (shape.join() !== example.shape.join() || declared.join() !== example.shape.join()) {
    throw new Error(
      `The output has the shape [${shape}] and is declared as [${declared}]; it should be [${example.shape}].`,
    );
  }
  if (variables.length !== example.gradients.length) {
    throw new Error(`The model has ${variables.length} gradients; it should have ${example.gradients.length}.`);
  }
  const gradients = variables.map(({ name, size }, k) => {
    // Absent where the loss does not depend on the variable.
    const found = grads[name]?.dataSync() ?? new Float32Array(size);
    return errorOf(found, example.gradients[k], `${example.name}/gradient ${k}`);
  });
  return {
    output: errorOf(output, example.output, `${example.name}/output`),
    gradients: Math.max(0, ...gradients),
  };
}

export function errorOf(found: ArrayLike<number>, expected: readonly number[], name: string): number {
  const length = Math.hypot(...Array.from(found));
  const errors = expected.map((value, k) => {
    const projected = numbers(`${name}/${k}`, found.length).reduce((sum, factor, i) => sum + factor * found[i], 0);
    return (Math.abs(projected - value) * Math.sqrt(3)) / Math.max(1, length);
  });
  return errors.some(Number.isNaN) ? Number.POSITIVE_INFINITY : Math.max(...errors);
}
