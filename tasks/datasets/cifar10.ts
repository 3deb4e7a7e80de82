/**
 * CIFAR-10 in its published binary version (Krizhevsky 2009): rows of one label byte and 3 × 1,024 bytes of red, green
 * and blue, 32 × 32 each. Samples become [32, 32, 3], normalised by the training set's mean and deviation per channel.
 */
import { readFile, stat } from "node:fs/promises";
import { join } from "node:path";
import { IsobatchError, invalid } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import type { DatasetSpec } from "../task.js";
import { createDataset, type Dataset, type InputSpec, type SampleSpec } from "./dataset.js";

type Cifar10Spec = Extract<DatasetSpec, { kind: "cifar10" }>;

const SIDE = 32;
const CHANNELS = 3;
const PLANE_BYTES = SIDE * SIDE;
const IMAGE_BYTES = CHANNELS * PLANE_BYTES;
const ROW_BYTES = 1 + IMAGE_BYTES;
const CLASS_NAMES = ["airplane", "automobile", "bird", "cat", "deer", "dog", "frog", "horse", "ship", "truck"];
const TRAIN_FILES = [1, 2, 3, 4, 5].map((n) => `data_batch_${n}.bin`);
const TEST_FILE = "test_batch.bin";
/** The folder that the published archive unpacks to. */
const ARCHIVE_FOLDER = "cifar-10-batches-bin";

/** Mean and deviation of the 50,000 training images' bytes / 255, as the field uses them. */
const NORMALIZATION = { mean: [0.4914, 0.4822, 0.4465], deviation: [0.247, 0.2435, 0.2616] };

export async function readCifar10(spec: Cifar10Spec): Promise<{ train: Dataset; test: Dataset }> {
  const folder = await folderOf(spec.folder);
  const rows: Uint8Array[] = [];
  for (const file of TRAIN_FILES) rows.push(await readRows(join(folder, file)));
  const testRows = await readRows(join(folder, TEST_FILE));
  const { augment } = spec;
  const input: InputSpec = {
    shape: [SIDE, SIDE, CHANNELS],
    type: "uint8",
    scale: 1 / 255,
    normalization: NORMALIZATION,
    ...(augment === "none" ? {} : { augment }),
  };
  const form: SampleSpec = {
    input,
    label: { shape: [], type: "uint8", classes: CLASS_NAMES.length, classNames: CLASS_NAMES },
  };
  return { train: datasetOf(form, rows, spec.limit), test: datasetOf(form, [testRows], spec.testLimit) };
}

async function folderOf(path: string): Promise<string> {
  for (const folder of [path, join(path, ARCHIVE_FOLDER)]) {
    if ((await stat(join(folder, TRAIN_FILES[0])).catch(() => undefined)) !== undefined) return folder;
  }
  return invalid(
    `There is no ${TRAIN_FILES[0]} in ${path}; unpack CIFAR-10's binary version (cifar-10-binary.tar.gz) and name its folder ` +
      "with --data, or in dataset.folder.",
  );
}

async function readRows(path: string): Promise<Uint8Array> {
  let bytes: Uint8Array;
  try {
    bytes = await readFile(path);
  } catch (error) {
    return invalid(`${path} can't be read: ${reasonOf(error)}; name a folder with all six files.`, { cause: error });
  }
  const damaged = (what: string): never => {
    throw new IsobatchError("damaged", `${path} is not a file of CIFAR-10's binary version: ${what}; unpack it again.`);
  };
  if (bytes.length === 0 || bytes.length % ROW_BYTES !== 0) {
    return damaged(`its ${bytes.length} bytes are not a whole number of rows of ${ROW_BYTES}`);
  }
  for (let row = 0; row * ROW_BYTES < bytes.length; row++) {
    const label = bytes[row * ROW_BYTES];
    if (label >= CLASS_NAMES.length) return damaged(`row ${row} has the label ${label}, and labels go to 9`);
  }
  return bytes;
}

/** Separates labels from pixels, and puts the three colours of a pixel next to each other. */
function datasetOf(form: SampleSpec, files: readonly Uint8Array[], limit: number | null): Dataset {
  const count = files.reduce((sum, rows) => sum + rows.length / ROW_BYTES, 0);
  const samples = Math.min(limit ?? count, count);
  const images = new Uint8Array(samples * IMAGE_BYTES);
  const labels = new Uint8Array(samples);
  let sample = 0;
  for (const rows of files) {
    for (let at = 0; at < rows.length && sample < samples; at += ROW_BYTES, sample++) {
      labels[sample] = rows[at];
      const image = images.subarray(sample * IMAGE_BYTES, (sample + 1) * IMAGE_BYTES);
      for (let channel = 0; channel < CHANNELS; channel++) {
        const plane = at + 1 + channel * PLANE_BYTES;
        for (let pixel = 0; pixel < PLANE_BYTES; pixel++) image[pixel * CHANNELS + channel] = rows[plane + pixel];
      }
    }
  }
  return createDataset(form, images, labels);
}
