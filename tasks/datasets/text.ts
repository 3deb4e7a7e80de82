/**
 * A text by characters (Unicode code points): a sample is a window of `context` characters, and its labels are the
 * characters that follow each of them. The vocabulary is every character of the whole text, sorted. Training windows
 * may start anywhere; the test part is the end of the text, in windows that don't overlap. Windows are cut out when they
 * are read, so memory holds the text once.
 */
import { readFile } from "node:fs/promises";
import { invalid } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import type { DatasetSpec } from "../task.js";
import type { Dataset, SampleSpec } from "./dataset.js";
import { decodeUtf8 } from "./utf8.js";

type TextSpec = Extract<DatasetSpec, { kind: "text" }>;

const VOCABULARY_MAX = 65_536;
const BYTE_VOCABULARY_MAX = 256;

export async function readText(spec: TextSpec): Promise<{ train: Dataset; test: Dataset | undefined }> {
  const { file, context, testFraction } = spec;
  const characters = [...(await readUtf8(file))];
  const vocabulary = [...new Set(characters)].sort((a, b) => a.codePointAt(0)! - b.codePointAt(0)!);
  if (vocabulary.length > VOCABULARY_MAX) {
    invalid(`${file} has ${vocabulary.length} different characters; at most ${VOCABULARY_MAX} can be told apart.`);
  }
  const testLength = Math.floor(characters.length * testFraction);
  const trainLength = characters.length - testLength;
  if (trainLength <= context) {
    invalid(
      `${file} has ${trainLength} characters to train on, and a sample takes dataset.context + 1 = ${context + 1}; take a ` +
        "longer text, or lower dataset.context or dataset.testFraction.",
    );
  }
  const numbers = new Map(vocabulary.map((character, number) => [character, number]));
  const inBytes = vocabulary.length <= BYTE_VOCABULARY_MAX;
  const encoded = inBytes ? new Uint8Array(characters.length) : new Int32Array(characters.length);
  characters.forEach((character, i) => {
    encoded[i] = numbers.get(character)!;
  });
  const form: SampleSpec = {
    input: { shape: [context], type: inBytes ? "uint8" : "float32", scale: 1 },
    label: {
      shape: [context],
      type: inBytes ? "uint8" : "int32",
      classes: vocabulary.length,
      classNames: vocabulary,
    },
  };
  const limited = (count: number, limit: number | null): number => Math.min(limit ?? count, count);
  const train = encoded.subarray(0, trainLength);
  const test = encoded.subarray(trainLength);
  const testWindows = Math.floor((test.length - 1) / context);
  const trainSamples = limited(trainLength - context, spec.limit);
  const testSamples = limited(testWindows, spec.testLimit);
  const placed = (part: Dataset, first: number, step: number): Dataset => ({
    ...part,
    inputsBelow: vocabulary.length,
    place(sample, element) {
      const at = first + sample * step + element;
      return `${file}, character ${at + 1}: the number of ${JSON.stringify(vocabulary[encoded[at]])}`;
    },
  });
  return {
    train: placed(windows(form, train, trainSamples, 1), 0, 1),
    test: testWindows < 1 ? undefined : placed(windows(form, test, testSamples, context), trainLength, context),
  };
}

async function readUtf8(file: string): Promise<string> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(file);
  } catch (error) {
    return invalid(`${file} can't be read: ${reasonOf(error)}; name a text file with --data, or in dataset.file.`, {
      cause: error,
    });
  }
  return decodeUtf8(bytes, file);
}

/** @param step from one window's first character to the next one's. */
function windows(form: SampleSpec, text: Uint8Array | Int32Array, samples: number, step: number): Dataset {
  const [context] = form.input.shape;
  return {
    ...form,
    samples,
    source: new Uint8Array(text.buffer, text.byteOffset, text.byteLength),
    read(indices) {
      const inputs =
        form.input.type === "uint8"
          ? new Uint8Array(indices.length * context)
          : new Float32Array(indices.length * context);
      const labels =
        form.label.type === "uint8"
          ? new Uint8Array(indices.length * context)
          : new Int32Array(indices.length * context);
      indices.forEach((sample, i) => {
        if (sample >= samples) throw new RangeError(`sample ${sample} of ${samples}`);
        const start = sample * step;
        inputs.set(text.subarray(start, start + context), i * context);
        labels.set(text.subarray(start + 1, start + 1 + context), i * context);
      });
      return { inputs: new Uint8Array(inputs.buffer), labels: new Uint8Array(labels.buffer) };
    },
  };
}
