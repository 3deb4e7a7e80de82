/** Whether each layer of a model has the same outputs for the same inputs as that layer of its source. */
import { invalid } from "../../shared/errors.js";
import type { LayersModel } from "./capture-weights.js";
import { differenceOf, drawSamples, pairs, type RecordedPass, recordOutputs } from "./record-outputs.js";
import { onCpu, tensorflow as tf } from "./tensorflow.js";

/** Both models have the same weights and run the same code, so only another order of sums changes bits. */
const TOLERANCE = 1e-5;

/**
 * @param source the model that was made; it may be of another copy of tfjs.
 * @param model what was rebuilt from its JSON, with the same weights.
 * @param nameOf turns the source's layer names into the rebuilt model's.
 * @param shape a sample's shape, for the sizes that the model's input leaves open.
 * @throws if a layer has other outputs.
 */
export function checkOutputs(
  source: LayersModel,
  model: LayersModel,
  nameOf: (name: string) => string,
  shape: readonly number[] = [],
): void {
  onCpu(() =>
    tf.tidy(() => {
      const inputs = drawSamples(tf, model, shape);
      const apply = (computed: LayersModel) => () => computed.apply(inputs, { training: false });
      compare(recordOutputs(tf, source, apply(source), nameOf), recordOutputs(tf, model, apply(model)));
    }),
  );
}

function compare(before: RecordedPass, after: RecordedPass): void {
  if (before.error !== after.error) {
    invalid(
      `The model ${outcome(before)} on a sample, and ${outcome(after)} once it is rebuilt from its JSON. ${REMEDY}`,
    );
  }
  for (const [{ path, className, outputs }, other] of pairs(before, after)) {
    const difference = other === undefined ? "is not called" : differenceOf(outputs, other.outputs, TOLERANCE);
    if (difference === undefined) continue;
    invalid(
      `Layer "${path}" (${className}) ${difference} once the model is rebuilt from its JSON, the form in which workers get it. ` +
        REMEDY,
    );
  }
}

const REMEDY = "Build the model from tfjs's own layers, with the tf that the model function is given.";

const outcome = ({ error }: RecordedPass): string => (error === undefined ? "computes" : `fails ("${error}")`);
