/**
 * The IDX format of LeCun, Cortes and Burges (MNIST and its kin): two zero bytes, the element type, the number of
 * dimensions, each dimension as a big-endian uint32, then the elements.
 */
import { readdir, readFile } from "node:fs/promises";
import { join } from "node:path";
import { gunzipSync } from "node:zlib";
import { IsobatchError, invalid, messageOf } from "../../shared/errors.js";
import { reasonOf } from "../../shared/system-errors.js";
import { createDataset, type Dataset, type SampleSpec } from "./dataset.js";

const UINT8 = 0x08;
const TYPES: Record<number, string> = {
  [UINT8]: "uint8",
  9: "int8",
  11: "int16",
  12: "int32",
  13: "float32",
  14: "float64",
};

export interface IdxArray {
  readonly shape: readonly number[];
  /** One byte for each element of the shape. */
  readonly data: Uint8Array;
}

/** Parses one IDX file of unsigned bytes. `path` is for the messages. */
export function parseIdx(bytes: Uint8Array, path: string): IdxArray {
  const damaged = (what: string): never => {
    throw new IsobatchError("damaged", `${path} is not a usable IDX file: ${what}; copy it again.`);
  };
  const view = new DataView(bytes.buffer, bytes.byteOffset, bytes.byteLength);
  if (bytes.length < 4) return damaged(`it has only ${bytes.length} bytes`);
  if (view.getUint16(0) !== 0) return damaged("it does not start with two zero bytes");
  const type = view.getUint8(2);
  if (type !== UINT8) {
    invalid(`${path} holds ${TYPES[type] ?? `elements of type ${type}`}; only unsigned bytes (uint8) can be read.`);
  }
  const dimensions = view.getUint8(3);
  const start = 4 + 4 * dimensions;
  if (dimensions < 1 || bytes.length < start) return damaged(`its header names ${dimensions} dimensions`);
  const shape = Array.from({ length: dimensions }, (_, i) => view.getUint32(4 + 4 * i));
  const elements = shape.reduce((product, size) => product * size, 1);
  if (bytes.length - start !== elements) {
    return damaged(
      `${shape.join(" × ")} elements take ${elements} bytes, but ${bytes.length - start} follow the header`,
    );
  }
  return { shape, data: bytes.subarray(start) };
}

/** Whether a folder has any file of one part. */
export async function hasIdxPart(folder: string, part: "train" | "t10k"): Promise<boolean> {
  const files = await readdir(folder).catch(() => []);
  return files.some((file) => file.startsWith(`${part}-`));
}

/**
 * Reads one part of an IDX folder, e.g. `train-images-idx3-ubyte` and `train-labels-idx1-ubyte`; each file may also
 * be gzipped (`.gz`). Images of 28 × 28 become samples of shape [28, 28, 1], scaled to [0, 1].
 * @param limit the number of samples to use, from the first; null: all.
 */
export async function readIdxPart(folder: string, part: "train" | "t10k", limit: number | null): Promise<Dataset> {
  const imagesPath = join(folder, `${part}-images-idx3-ubyte`);
  const labelsPath = join(folder, `${part}-labels-idx1-ubyte`);
  // In this order, so that if both are missing it is always the same one that is named.
  const images = await readIdx(imagesPath);
  const labels = await readIdx(labelsPath);
  if (images.shape.length < 2) invalid(`${imagesPath} has ${images.shape.length} dimension instead of images.`);
  if (labels.shape.length !== 1) invalid(`${labelsPath} has ${labels.shape.length} dimensions instead of 1.`);
  const count = images.shape[0];
  if (count !== labels.shape[0]) {
    invalid(`${imagesPath} has ${count} images, but ${labelsPath} has ${labels.shape[0]} labels; they must agree.`);
  }
  if (count === 0) invalid(`${imagesPath} holds no images; a data set needs at least one.`);
  const samples = Math.min(limit ?? count, count);
  const shape = images.shape.length === 3 ? [...images.shape.slice(1), 1] : images.shape.slice(1);
  const row = shape.reduce((product, size) => product * size, 1);
  const classes = labels.data.reduce((most, label) => Math.max(most, label), 0) + 1;
  const form: SampleSpec = {
    input: { shape, type: "uint8", scale: 1 / 255 },
    label: { shape: [], type: "uint8", classes },
  };
  return {
    ...createDataset(form, images.data.subarray(0, samples * row), labels.data.subarray(0, samples)),
    origin: imagesPath,
    firstPlaces: firstPlacesOf(labels.data, labelsPath),
    place: (sample, element) => `${imagesPath}, image ${sample}: its pixel ${element}, scaled from 0–255 to 0–1,`,
  };
}

function firstPlacesOf(labels: Uint8Array, path: string): Map<string, string> {
  const places = new Map<string, string>();
  for (let label = 0; label < 256; label++) {
    const first = labels.indexOf(label);
    if (first >= 0) places.set(String(label), `${path}: label ${first}, counted from 0,`);
  }
  return places;
}

async function readIdx(path: string): Promise<IdxArray> {
  const bytes = (await readIfThere(path)) ?? (await readIfThere(`${path}.gz`));
  if (bytes === undefined) return invalid(`There is no ${path}, nor ${path}.gz; name a folder with both.`);
  if (bytes[0] !== 0x1f || bytes[1] !== 0x8b) return parseIdx(bytes, path);
  try {
    return parseIdx(gunzipSync(bytes), path);
  } catch (error) {
    if (error instanceof IsobatchError) throw error;
    throw new IsobatchError("damaged", `${path}.gz can't be unpacked (${messageOf(error)}); copy it again.`);
  }
}

async function readIfThere(path: string): Promise<Buffer | undefined> {
  try {
    return await readFile(path);
  } catch (error) {
    if ((error as NodeJS.ErrnoException).code === "ENOENT") return undefined;
    return invalid(`${path} can't be read: ${reasonOf(error)}.`, { cause: error });
  }
}
