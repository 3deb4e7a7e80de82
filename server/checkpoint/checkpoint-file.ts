import { createHash, type Hash } from "node:crypto";
import { IsobatchError } from "../../shared/errors.js";
import { type ElementRange, type Layout, layoutToJson, tensorParts } from "../../shared/layout/index.js";
import type { SmoothedNoise } from "../../shared/optimizer/index.js";
import { encodeHeader, type SafetensorsHeader } from "./safetensors.js";

/**
 * One shard's part of a checkpoint, as a safetensors file: the weights of its slice of the flat vector as
 * `theta/<name>`, and Adam's averages for the slice's parameters as `m/<name>` and `v/<name>`. A tensor that is whole
 * in the slice has its own shape; a part of one is a vector called `<kind>/<name>[from:to]`. The bytes are simply
 * theta, then m, then v, so they are written from and read into the live arrays without a copy.
 *
 * The checksum is SHA-256 over the whole file with its own 64 digits taken as zeros: so it covers the length, the
 * names, the shapes, the metadata and the padding too, and any changed bit is detected.
 */

/** The state of a range of elements. */
export interface SliceState {
  /** Weights: one for each element of the range, whatever its kind. */
  readonly theta: Float32Array;
  /** Adam's average of gradients: one for each parameter of the range, none for the tail and the frozen. */
  readonly m: Float32Array;
  /** Adam's average of squares, as long as `m`. */
  readonly v: Float32Array;
}

/** The run's position: everything that a resumed run needs besides the slices. */
export interface CheckpointMeta {
  readonly runId: string;
  readonly taskHash: string;
  /** Steps applied so far, so the number of the next one. */
  readonly step: number;
  /** Micro-batches consumed so far: n of the next one. */
  readonly microBatches: number;
  /** The total weight that each of Adam's running averages holds so far; float64, stored exactly. */
  readonly c1: number;
  readonly c2: number;
  /** The smoothed gradient noise; undefined if there was none yet. */
  readonly noise?: SmoothedNoise;
}

/** A file's description of itself. */
export interface CheckpointLabel extends CheckpointMeta, ElementRange {
  readonly layoutHash: string;
  /** ISO 8601, for people. */
  readonly writtenAt: string;
}

const FORMAT = "isobatch checkpoint 1";
const NO_DIGEST = "0".repeat(64);
const DIGEST_KEY = '"sha256":"';

/** SHA-256 of the layout's JSON form: two models of one hash have the same flat vector. */
export function layoutHash(layout: Layout): string {
  return createHash("sha256").update(layoutToJson(layout)).digest("hex");
}

/** Parameters among elements [firstElement, endElement): the length of their m and v. */
export function parametersIn(layout: Layout, range: ElementRange): number {
  const first = Math.min(range.firstElement, layout.parameters);
  return Math.min(range.endElement, layout.parameters) - first;
}

/** The tensors of a slice's file, in the order of their bytes. */
export function sliceTensors(layout: Layout, range: ElementRange): { name: string; shape: readonly number[] }[] {
  const list = (kind: string, length: number) =>
    tensorParts(layout, range.firstElement, length).map(({ tensor, from, to }) =>
      to - from === tensor.length
        ? { name: `${kind}/${tensor.name}`, shape: tensor.shape }
        : { name: `${kind}/${tensor.name}[${from}:${to}]`, shape: [to - from] },
    );
  const parameters = parametersIn(layout, range);
  return [...list("theta", range.endElement - range.firstElement), ...list("m", parameters), ...list("v", parameters)];
}

/** A file's header without its checksum, and the hash that has already consumed it. */
export interface UnsealedHeader {
  readonly bytes: Buffer;
  /** The hash to update with the data, in order. */
  readonly hash: Hash;
}

export function encodeUnsealedHeader(layout: Layout, label: CheckpointLabel): UnsealedHeader {
  const bytes = encodeHeader(sliceTensors(layout, label), {
    format: FORMAT,
    runId: label.runId,
    taskHash: label.taskHash,
    layoutHash: label.layoutHash,
    step: String(label.step),
    microBatches: String(label.microBatches),
    // JavaScript prints the shortest decimal that reads back as the same float64.
    c1: String(label.c1),
    c2: String(label.c2),
    ...(label.noise && {
      noiseTrace: String(label.noise.trace),
      noiseSquaredGradient: String(label.noise.squaredGradient),
      noiseWeight: String(label.noise.weight),
    }),
    firstElement: String(label.firstElement),
    endElement: String(label.endElement),
    writtenAt: label.writtenAt,
    sha256: NO_DIGEST,
  });
  return { bytes, hash: createHash("sha256").update(bytes) };
}

/** Writes the checksum into the header, once the hash has had all the data. */
export function sealHeader({ bytes, hash }: UnsealedHeader): void {
  bytes.write(hash.digest("hex"), digestAt(bytes, NO_DIGEST), "latin1");
}

/** The checksum that a header (length included) carries, and the hash with which to check it. */
export function unsealHeader(bytes: Buffer, header: SafetensorsHeader): { digest: string; hash: Hash } {
  const digest = field(header, "sha256");
  if (!/^[0-9a-f]{64}$/.test(digest)) damaged("its checksum is not a SHA-256");
  const unsealed = Buffer.from(bytes);
  unsealed.write(NO_DIGEST, digestAt(bytes, digest), "latin1");
  return { digest, hash: createHash("sha256").update(unsealed) };
}

function digestAt(bytes: Buffer, digest: string): number {
  // Found only once: within JSON's strings every quote has a backslash, so no name can look like this.
  const at = bytes.indexOf(`${DIGEST_KEY}${digest}"`);
  if (at < 0) damaged("its checksum is not where it belongs");
  return at + DIGEST_KEY.length;
}

/**
 * The label in a header, with the form of each value checked.
 * @throws {IsobatchError} `damaged`
 */
export function readLabel(header: SafetensorsHeader): CheckpointLabel {
  const format = field(header, "format");
  if (format !== FORMAT) damaged(`its format is ${JSON.stringify(format.slice(0, 40))}, not "${FORMAT}"`);
  return {
    runId: field(header, "runId"),
    taskHash: field(header, "taskHash"),
    layoutHash: field(header, "layoutHash"),
    step: count(header, "step"),
    microBatches: count(header, "microBatches"),
    c1: heldWeight(header, "c1"),
    c2: heldWeight(header, "c2"),
    ...(header.metadata.has("noiseWeight") && {
      noise: {
        trace: finite(header, "noiseTrace"),
        squaredGradient: finite(header, "noiseSquaredGradient"),
        weight: heldWeight(header, "noiseWeight"),
      },
    }),
    firstElement: count(header, "firstElement"),
    endElement: count(header, "endElement"),
    writtenAt: field(header, "writtenAt"),
  };
}

/** Throws `damaged` unless the file's tensors are exactly those of its slice, so that its bytes are theta, m, v. */
export function checkTensors(layout: Layout, range: ElementRange, header: SafetensorsHeader): void {
  if (!(range.firstElement < range.endElement && range.endElement <= layout.length)) {
    damaged(`it claims elements ${range.firstElement} to ${range.endElement} of ${layout.length}`);
  }
  const expected = sliceTensors(layout, range);
  const same =
    expected.length === header.tensors.length &&
    expected.every(({ name, shape }, i) => {
      const tensor = header.tensors[i];
      return tensor.name === name && tensor.shape.join() === shape.join();
    });
  if (!same) damaged("its tensors are not those of the model");
}

function field(header: SafetensorsHeader, key: string): string {
  return header.metadata.get(key) ?? damaged(`its metadata has no ${key}`);
}

function count(header: SafetensorsHeader, key: string): number {
  const text = field(header, key);
  const value = Number(text);
  if (!/^\d{1,16}$/.test(text) || !Number.isSafeInteger(value)) damaged(`its ${key} is not a count`);
  return value;
}

function finite(header: SafetensorsHeader, key: string): number {
  const text = field(header, key);
  const value = Number(text);
  if (String(value) !== text || !Number.isFinite(value)) damaged(`its ${key} is not a number`);
  return value;
}

function heldWeight(header: SafetensorsHeader, key: string): number {
  const text = field(header, key);
  const value = Number(text);
  if (String(value) !== text || !(value >= 0 && Number.isFinite(value))) damaged(`its ${key} is not a weight`);
  return value;
}

function damaged(what: string): never {
  throw new IsobatchError("damaged", what);
}
