/**
 * Sets variables on a device from memory in which many are stored contiguously: each run of such memory is copied to
 * the device once, directly from where it is, and the device cuts it into variables.
 */
import { encodeGraph, type SessionDevices, value } from "./graph-def.js";
import { createGraphWriter, floatVariable, integers, joinedSlices, TYPE } from "./graph-writer.js";
import type { ExtendableAddon, FeedPlace, SessionHandle } from "./session.js";

/** A variable by its name in the session. */
export interface UploadedVariable {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * @param values for each variable the arrays that its elements are stored in
 * @returns false, having done nothing, if the variables are not stored contiguously
 */
export type Upload = (values: readonly (readonly Float32Array[])[]) => boolean;

/** Memory that is read as one vector; addresses in bytes. */
interface Run {
  readonly buffer: ArrayBufferLike;
  readonly from: number;
  readonly to: number;
}

/** TensorFlow reads memory in place if its address is a multiple of this; otherwise it makes a copy first. */
const ALIGNMENT = 64;

/** Where an array is: the run with this number, from its element `from`. */
interface Place {
  readonly run: number;
  readonly from: number;
  readonly length: number;
}

export function createUpload(
  addon: ExtendableAddon,
  session: SessionHandle,
  devices: SessionDevices,
  variables: readonly UploadedVariable[],
): Upload {
  /** The calls by the runs' lengths and the variables' places in them, which are mostly the same each time. */
  const prepared = new Map<string, number>();

  const prepare = (lengths: readonly number[], places: readonly (readonly Place[])[]): number => {
    const writer = createGraphWriter(`upload${prepared.size}`);
    const feeds = lengths.map((length): FeedPlace => {
      const shape = [length];
      const name = writer.add("Placeholder", [], { dtype: value.type(TYPE.float32), shape: value.shape(shape) });
      return { name, type: TYPE.float32, shape, borrowed: true };
    });
    const targets = variables.map(({ name, shape }, i) => {
      const slices = places[i].map(({ run, from, length }) => ({ vector: feeds[run].name, from, length }));
      const shaped = writer.float("Reshape", joinedSlices(writer, slices), integers(writer, ...shape));
      return floatVariable(writer, name, shape).assign(shaped);
    });
    addon.extend(session, encodeGraph(writer.nodes, devices), []);
    return addon.prepare(session, feeds, [], targets);
  };

  return (values) => {
    const runs = runsOf(values.flat());
    if (runs.length >= variables.length) return false;
    const vectors = runs.map(({ buffer, from, to }) => new Float32Array(buffer, from, elements(to - from)));
    const lengths = vectors.map(({ length }) => length);
    const places = values.map((arrays) => arrays.map((array) => placeIn(runs, array)));
    const key = JSON.stringify([lengths, places]);
    let call = prepared.get(key);
    if (call === undefined) {
      call = prepare(lengths, places);
      prepared.set(key, call);
    }
    addon.run(
      session,
      call,
      vectors.map((vector) => [vector]),
      [],
    );
    return true;
  };
}

const elements = (bytes: number): number => bytes / Float32Array.BYTES_PER_ELEMENT;

/**
 * The runs of memory that arrays are in. Each starts at an aligned address, so it may include bytes outside the arrays.
 */
function runsOf(arrays: readonly Float32Array[]): Run[] {
  const runs: Run[] = [];
  for (const { buffer, byteOffset, byteLength } of arrays) {
    const last = runs.at(-1);
    const to = byteOffset + byteLength;
    if (last !== undefined && last.buffer === buffer && last.to === byteOffset) {
      runs[runs.length - 1] = { ...last, to };
    } else {
      runs.push({ buffer, from: byteOffset - (byteOffset % ALIGNMENT), to });
    }
  }
  return runs;
}

function placeIn(runs: readonly Run[], array: Float32Array): Place {
  const run = runs.findIndex((each) => isIn(array, each));
  return { run, from: elements(array.byteOffset - runs[run].from), length: array.length };
}

const isIn = ({ buffer, byteOffset, byteLength }: Float32Array, run: Run): boolean =>
  buffer === run.buffer && byteOffset >= run.from && byteOffset + byteLength <= run.to;
