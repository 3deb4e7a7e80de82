/**
 * A data set in memory: rows of raw bytes in their own element type, so that what travels to a worker is as small as
 * what lies in the file (one byte a pixel, not four). Whoever computes turns them into floats with `decodeBatch`.
 */

export type ElementType = "uint8" | "int32" | "float32";

export interface InputSpec {
  /** Of one sample. */
  readonly shape: readonly number[];
  readonly type: "uint8" | "float32";
  /** Each element is multiplied by it after decoding, e.g. 1/255. */
  readonly scale: number;
  /** After that, of each channel (the last dimension): its mean is subtracted, and it is divided by its deviation. */
  readonly normalization?: { readonly mean: readonly number[]; readonly deviation: readonly number[] };
  /** What is done at random to an image that is trained on, never to one that is evaluated on. */
  readonly augment?: "crop-flip" | "autoaugment";
}

export interface LabelSpec {
  /** Of one sample; [] for a single number. */
  readonly shape: readonly number[];
  readonly type: ElementType;
  /** Of class labels: the number of classes, each label being in [0, classes). Absent for numbers. */
  readonly classes?: number;
  /** Of class labels that were words: the word of each class. */
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
  /** Where a number of an input is, for messages, e.g. `tokens.csv, line 4: column "x2"`. */
  place?(sample: number, element: number): string;
  /** The same for a label that is a number. */
  labelPlace?(sample: number, element: number): string;
  /** The names of the numbers of a sample, where they have names. */
  readonly columns?: { readonly inputs: readonly string[]; readonly labels: readonly string[] };
  /** The file that the samples are from, for messages. */
  readonly origin?: string;
  /** Where each class appears first, e.g. `test.csv, line 4: column "y"`; of all the file's samples, whatever the limit. */
  readonly firstPlaces?: ReadonlyMap<string, string>;
  /** What all samples are cut from, where that is less than all of them: it stands for them in the fingerprint. */
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
