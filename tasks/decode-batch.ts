import { IsobatchError } from "../shared/errors.js";
import { type AugmentationKey, augmentBatch } from "./augmentation/index.js";
import { type ElementType, type InputSpec, rowBytes, type SampleSpec } from "./datasets/dataset.js";

export interface DecodedBatch {
  /** Length: `samples` × the elements of the input's shape. */
  readonly inputs: Float32Array;
  /** Length: `samples` × the elements of the label's shape; integers if the labels are classes. */
  readonly labels: Int32Array | Float32Array;
}

/**
 * Decodes raw rows into a model's inputs and labels. Pure; copies, so the bytes may be reused at once.
 * @param inputs `samples` rows as `Dataset.read` gives them; @param labels likewise.
 * @param key given for a micro-batch that is trained on: its images are augmented, if the form says so.
 * @throws if the bytes are not `samples` rows: they come from another machine, so that is checked.
 */
export function decodeBatch(
  spec: SampleSpec,
  inputs: Uint8Array,
  labels: Uint8Array,
  samples: number,
  key?: AugmentationKey,
): DecodedBatch {
  checkLength("inputs", inputs, rowBytes(spec.input) * samples, samples);
  checkLength("labels", labels, rowBytes(spec.label) * samples, samples);
  const { augment } = spec.input;
  const fed = key === undefined || augment === undefined ? inputs : augmentBatch(spec.input, inputs, samples, key);
  const decoded = elements(fed, spec.input.type, (length) => new Float32Array(length)) as Float32Array;
  scaleInputs(decoded, spec.input);
  const isFloat = spec.label.type === "float32";
  return {
    inputs: decoded,
    labels: elements(labels, spec.label.type, (length) =>
      isFloat ? new Float32Array(length) : new Int32Array(length),
    ),
  };
}

/** Makes of numbers as a data set has them those that a model is fed, in place. */
export function scaleInputs(values: Float32Array, spec: Pick<InputSpec, "scale" | "normalization">): void {
  const scale = Math.fround(spec.scale);
  // One float32 multiplication per element, so that every machine gets the same bits.
  if (scale !== 1) for (let i = 0; i < values.length; i++) values[i] *= scale;
  normalize(values, spec);
}

/** Two float32 operations per element, in this order, for the same bits everywhere. */
function normalize(values: Float32Array, { normalization }: Pick<InputSpec, "normalization">): void {
  if (normalization === undefined) return;
  const mean = Float32Array.from(normalization.mean);
  const inverse = Float32Array.from(normalization.deviation, (deviation) => 1 / deviation);
  for (let i = 0, channel = 0; i < values.length; i++) {
    values[i] = Math.fround(values[i] - mean[channel]) * inverse[channel];
    channel = channel + 1 === mean.length ? 0 : channel + 1;
  }
}

function elements(
  bytes: Uint8Array,
  type: ElementType,
  create: (length: number) => Float32Array | Int32Array,
): Float32Array | Int32Array {
  if (type === "uint8") {
    const target = create(bytes.length);
    target.set(bytes);
    return target;
  }
  // A copy, since the bytes of a message need not be aligned to four.
  const aligned = new Uint8Array(bytes).buffer;
  return type === "float32" ? new Float32Array(aligned) : new Int32Array(aligned);
}

function checkLength(what: string, bytes: Uint8Array, expected: number, samples: number): void {
  if (bytes.length !== expected) {
    throw new IsobatchError(
      "damaged",
      `A batch of ${samples} samples has ${bytes.length} bytes of ${what} instead of ${expected}.`,
    );
  }
}
