import { closeSync, fstatSync, readSync } from "node:fs";
import { IsobatchError } from "../../shared/errors.js";
import type { ElementRange, Layout } from "../../shared/layout/index.js";
import { openRegularFile } from "../../shared/regular-file.js";
import { reasonOf } from "../../shared/system-errors.js";
import {
  type CheckpointLabel,
  type CheckpointMeta,
  checkTensors,
  parametersIn,
  readLabel,
  type SliceState,
  unsealHeader,
} from "./checkpoint-file.js";
import { coverOf, filesOf, type SliceFile } from "./files.js";
import { decodeHeader, decodeHeaderLength, LENGTH_BYTES, type SafetensorsHeader } from "./safetensors.js";

/**
 * Reads a range of elements out of the files of a step. Every file it touches is read from its first to its last
 * byte, because the checksum covers the whole file; the bytes that are wanted are read straight into their place.
 */
export interface LoadRequest {
  /** The run's `checkpoints` folder. */
  readonly folder: string;
  readonly step: number;
  readonly range: ElementRange;
  readonly layout: Layout;
  /**
   * The values that each file must have; those left out are taken from the first file and must be the same in the
   * others.
   */
  readonly expected: Partial<Pick<CheckpointLabel, "runId" | "taskHash" | "layoutHash">>;
  /** The arrays to fill, with the lengths of `range`. */
  readonly into: SliceState;
}

const PIECE_BYTES = 1 << 20;

/** @throws {IsobatchError} `damaged` or `refused`, naming the file; `into` then holds anything */
export function loadRange({ folder, step, range, layout, expected, into }: LoadRequest): CheckpointMeta {
  const cover = coverOf(filesOf(folder, step), range);
  if (cover === undefined) {
    throw new IsobatchError(
      "damaged",
      `The checkpoint of step ${step} in ${folder} lacks files: elements ${range.firstElement} to ${range.endElement} are not covered.`,
    );
  }
  let meta: CheckpointMeta | undefined;
  let at = range.firstElement;
  for (const file of cover) {
    const wanted = { firstElement: at, endElement: Math.min(file.endElement, range.endElement) };
    const part = {
      theta: into.theta.subarray(wanted.firstElement - range.firstElement, wanted.endElement - range.firstElement),
      m: averagesOf(into.m),
      v: averagesOf(into.v),
    };
    const { noise: _, ...counters } = meta ?? {};
    const label = readFile(file, { step, ...expected, ...counters }, layout, wanted, part);
    const { runId, taskHash, microBatches, c1, c2, noise } = label;
    meta = { runId, taskHash, step, microBatches, c1, c2, ...(noise && { noise }) };
    at = wanted.endElement;

    function averagesOf(values: Float32Array): Float32Array {
      const before = parametersIn(layout, { firstElement: range.firstElement, endElement: wanted.firstElement });
      return values.subarray(before, before + parametersIn(layout, wanted));
    }
  }
  if (meta === undefined) throw new RangeError("an empty range of elements");
  return meta;
}

/** Verifies a file and copies its share of `wanted` into `part`. */
function readFile(
  slice: SliceFile,
  expected: Partial<CheckpointLabel>,
  layout: Layout,
  wanted: ElementRange,
  part: SliceState,
): CheckpointLabel {
  try {
    const file = openRegularFile(slice.path, "read");
    try {
      const { start, header } = readHeader(file);
      const label = readLabel(header);
      // A file of another kind is still read to its end: if its checksum fails as well, it is damaged, and its label
      // means nothing.
      const problem = problemOf(() => {
        checkLabel(label, { ...expected, firstElement: slice.firstElement, endElement: slice.endElement });
        checkTensors(layout, label, header);
      });
      const stretches: Stretch[] =
        problem === undefined ? plan(layout, slice, wanted, part) : [{ from: 0, end: header.dataBytes }];

      const { digest, hash } = unsealHeader(start, header);
      const scratch = Buffer.alloc(Math.min(PIECE_BYTES, header.dataBytes));
      for (const { from, end, target } of stretches) {
        for (let at = from; at < end; at += PIECE_BYTES) {
          const length = Math.min(PIECE_BYTES, end - at);
          const piece =
            target === undefined
              ? scratch.subarray(0, length)
              : Buffer.from(target.buffer, target.byteOffset + at - from, length);
          readFully(file, piece, header.dataStart + at);
          hash.update(piece);
        }
      }
      const found = hash.digest("hex");
      if (found !== digest) damaged(`its content has the SHA-256 ${found}, not ${digest} as it says`);
      if (problem !== undefined) throw problem;
      return label;
    } finally {
      closeSync(file);
    }
  } catch (error) {
    if (!(error instanceof IsobatchError)) {
      throw new IsobatchError("damaged", `The checkpoint ${slice.path} can't be read: ${reasonOf(error)}.`, {
        cause: error,
      });
    }
    const verdict = error.code === "damaged" ? "is damaged" : "can't be used";
    throw new IsobatchError(
      error.code,
      `The checkpoint ${slice.path} ${verdict}: ${error.message.replace(/\.$/, "")}.`,
      { cause: error },
    );
  }
}

/** The label in a file's header; undefined if it is unreadable. */
export function readLabelOf(path: string): CheckpointLabel | undefined {
  try {
    const file = openRegularFile(path, "read");
    try {
      return readLabel(readHeader(file).header);
    } finally {
      closeSync(file);
    }
  } catch {
    return undefined;
  }
}

/** A file's header, and the bytes of its length and of the header itself. */
function readHeader(file: number): { start: Buffer; header: SafetensorsHeader } {
  const fileBytes = fstatSync(file).size;
  const first = Buffer.alloc(Math.min(LENGTH_BYTES, fileBytes));
  readFully(file, first, 0);
  const start = Buffer.alloc(LENGTH_BYTES + decodeHeaderLength(first, fileBytes));
  readFully(file, start, 0);
  return { start, header: decodeHeader(start.subarray(LENGTH_BYTES), fileBytes) };
}

interface Stretch {
  /** Bytes [from, end) of the file's data. */
  readonly from: number;
  readonly end: number;
  /** The place for them, of the same length; undefined if they are only to be hashed. */
  readonly target?: Float32Array;
}

/** The file's data, theta then m then v, as stretches in order and without gaps, some wanted and some not. */
function plan(layout: Layout, slice: ElementRange, wanted: ElementRange, part: SliceState): Stretch[] {
  const elements = (from: number, to: number) => to - from;
  const parameters = (from: number, to: number) => parametersIn(layout, { firstElement: from, endElement: to });
  const stretches: Stretch[] = [];
  let from = 0;
  const add = (length: number, target?: Float32Array) => {
    if (length > 0) stretches.push({ from, end: from + 4 * length, target });
    from += 4 * length;
  };
  for (const [target, count] of [
    [part.theta, elements],
    [part.m, parameters],
    [part.v, parameters],
  ] as const) {
    add(count(slice.firstElement, wanted.firstElement));
    add(count(wanted.firstElement, wanted.endElement), target);
    add(count(wanted.endElement, slice.endElement));
  }
  return stretches;
}

function problemOf(check: () => void): unknown {
  try {
    check();
    return undefined;
  } catch (error) {
    return error;
  }
}

function checkLabel(label: CheckpointLabel, expected: Partial<CheckpointLabel>): void {
  const { runId, taskHash, layoutHash, ...exact } = expected;
  for (const [key, value] of Object.entries(exact) as [keyof CheckpointLabel, number][]) {
    if (label[key] !== value) damaged(`its ${key} is ${label[key]} where it should be ${value}`);
  }
  const other = (what: string, found: string, wanted: string | undefined) => {
    if (wanted !== undefined && found !== wanted) {
      throw new IsobatchError("refused", `it belongs to another ${what}, ${found} instead of ${wanted}`);
    }
  };
  other("run", label.runId, runId);
  other("task", label.taskHash, taskHash);
  other("model", label.layoutHash, layoutHash);
}

/** Fills `target` from the file's byte `position` on. */
function readFully(file: number, target: Buffer, position: number): void {
  for (let at = 0; at < target.length; ) {
    const read = readSync(file, target, at, target.length - at, position + at);
    if (read === 0) damaged("it ends too early");
    at += read;
  }
}

function damaged(what: string): never {
  throw new IsobatchError("damaged", what);
}
