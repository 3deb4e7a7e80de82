/**
 * A data set in memory: rows of raw bytes in their own element type, so that they are as small on the way to a worker
 * as in the file (one byte per pixel, not four). The process that computes turns them into floats with `decodeBatch`.
 */

export type ElementType = "uint8" | "int32" | "float32";

export interface InputSpec {
  /** One sample's shape. */
  readonly shape: readonly number[];
  readonly type: "uint8" | "float32";
  /** Each element is multiplied by it after decoding, e.g. 1/255. */
  readonly scale: number;
  /** After that each channel (the last dimension) has its mean subtracted and is divided by its deviation. */
  readonly normalization?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** How an image is changed at random in training; never in evaluation. */
  readonly augment?: "crop-flip" | "autoaugment";
}

export interface LabelSpec {
  /** One sample's shape; [] for a single number. */
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** The number of classes, if labels are classes: each label is in [0, classes). */
  readonly classes?: number;
  /** The word of each class, if labels were words. */
  readonly classNames?: readonly string[];
}

/** The form of a data set's samples: all that is needed to decode them. */
export interface SampleSpec {
  readonly input: InputSpec;
  readonly label: LabelSpec;
}

export interface Dataset extends SampleSpec {
  readonly samples: number;
  /** All inputs are whole numbers in [0, inputsBelow); undefined where that is not known without reading them. */
  readonly inputsBelow?: number;
  /** Where an element of an input is, for messages, e.g. `tokens.csv, line 4: column "x2"`. */
  place?(sample: number, element: number): string;
  /** The same for a label that is a number. */
  labelPlace?(sample: number, element: number): string;
  /** The names of a sample's numbers, if they have names. */
  readonly columns?: { readonly inputs: readonly string[]; readonly labels: readonly string[] };
  /** The file that the samples are from, for messages. */
  readonly origin?: string;
  /** Where each class appears first, e.g. `test.csv, line 4: column "y"`; in all of the file, regardless of the limit. */
  readonly firstPlaces?: ReadonlyMap<string, string>;
  /** What all samples are cut from, if that is smaller than they are: the fingerprint is made of it. */
  readonly source?: Uint8Array;
  /** The raw rows of the samples with these numbers, concatenated; little-endian. */
  read(indices: Uint32Array): RawBatch;
}

export interface RawBatch {
  readonly inputs: Uint8Array;
  readonly labels: Uint8Array;
}

export interface TaskData {
  readonly train: Dataset;
  /** What is evaluated on; undefined when the data set has no test part. */
  readonly test: Dataset | undefined;
  /** SHA-256 over the form and every byte of both parts. */
  readonly fingerprint: string;
  /** The same over the training part only, to see which of the two has changed. */
  readonly trainFingerprint: string;
}

const ELEMENT_BYTES: Record<ElementType, number> = { uint8: 1, int32: 4, float32: 4 };

/** Bytes of one sample's input, or label. */
export function rowBytes(spec: InputSpec | LabelSpec): number {
  return spec.shape.reduce((product, size) => product * size, 1) * ELEMENT_BYTES[spec.type];
}

/**
 * A data set over rows held in memory.
 * @param inputs `samples` rows of input bytes.
 * @param labels `samples` rows of label bytes.
 */
export function createDataset(spec: SampleSpec, inputs: Uint8Array, labels: Uint8Array): Dataset {
  const inputBytes = rowBytes(spec.input);
  const labelBytes = rowBytes(spec.label);
  const samples = labels.length / labelBytes;
  if (inputs.length !== samples * inputBytes) {
    throw new RangeError(`${inputs.length} bytes of inputs for ${samples} samples of ${inputBytes} bytes`);
  }
  return {
    ...spec,
    samples,
    read(indices) {
      const batch = {
        inputs: new Uint8Array(indices.length * inputBytes),
        labels: new Uint8Array(indices.length * labelBytes),
      };
      for (let i = 0; i < indices.length; i++) {
        const sample = indices[i];
        if (sample >= samples) throw new RangeError(`sample ${sample} of ${samples}`);
        batch.inputs.set(inputs.subarray(sample * inputBytes, (sample + 1) * inputBytes), i * inputBytes);
        batch.labels.set(labels.subarray(sample * labelBytes, (sample + 1) * labelBytes), i * labelBytes);
      }
      return batch;
    },
  };
}
