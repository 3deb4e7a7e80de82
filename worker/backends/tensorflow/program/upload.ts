/**
 * Sets variables on a device from memory in which many are stored one after the other: each run of them is copied there
 * once, straight from where it is, and cut into variables by the device.
 */
import { encodeGraph, type SessionDevices, value } from "./graph-def.js";
import { createGraphWriter, floatVariable, integers, joinedSlices, TYPE } from "./graph-writer.js";
import type { ExtendableAddon, FeedPlace, SessionHandle } from "./session.js";

/** A variable, by the name that its session knows it by. */
export interface UploadedVariable {
  readonly name: string;
  readonly shape: readonly number[];
}

/**
 * @param values of each variable the arrays that its elements lie in
 * @returns whether it was done; not if the variables are not stored one after the other
 */
export type Upload = (values: readonly (readonly Float32Array[])[]) => boolean;

/** Memory that is read as one vector; in bytes. */
interface Run {
  readonly buffer: ArrayBufferLike;
  readonly from: number;
  readonly to: number;
}

/** TensorFlow reads memory that starts at such addresses where it is; any other it copies first. */
const ALIGNMENT = 64;

export function createUpload(
  addon: ExtendableAddon,
  session: SessionHandle,
  devices: SessionDevices,
  variables: readonly UploadedVariable[],
): Upload {
  /** By where the values are in their memories, which is mostly the same each time. */
  const prepared = new Map<string, number>();

  const prepare = (runs: readonly Run[], values: readonly (readonly Float32Array[])[]): number => {
    const writer = createGraphWriter(`upload${prepared.size}`);
    const feeds = runs.map(({ from, to }): FeedPlace => {
      const shape = [(to - from) / Float32Array.BYTES_PER_ELEMENT];
      const name = writer.add("Placeholder", [], { dtype: value.type(TYPE.float32), shape: value.shape(shape) });
      return { name, type: TYPE.float32, shape, borrowed: true };
    });
    const targets = variables.map(({ name, shape }, i) => {
      const slices = values[i].map((array) => {
        const run = runs.findIndex((each) => isIn(array, each));
        const from = (array.byteOffset - runs[run].from) / Float32Array.BYTES_PER_ELEMENT;
        return { vector: feeds[run].name, from, length: array.length };
      });
      const shaped = writer.float("Reshape", joinedSlices(writer, slices), integers(writer, ...shape));
      return floatVariable(writer, name, shape).assign(shaped);
    });
    addon.extend(session, encodeGraph(writer.nodes, devices), []);
    return addon.prepare(session, feeds, [], targets);
  };

  return (values) => {
    const runs = runsOf(values.flat());
    if (runs.length >= variables.length) return false;
    const places = values.map((arrays) => arrays.map(({ byteOffset, length }) => [byteOffset, length]));
    const key = JSON.stringify([runs.map(({ from, to }) => [from, to]), places]);
    let call = prepared.get(key);
    if (call === undefined) {
      call = prepare(runs, values);
      prepared.set(key, call);
    }
    const inputs = runs.map(({ buffer, from, to }) => [
      new Float32Array(buffer, from, (to - from) / Float32Array.BYTES_PER_ELEMENT),
    ]);
    addon.run(session, call, inputs, []);
    return true;
  };
}

/** Each starts where it is aligned, at what may belong to something else. */
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

const isIn = ({ buffer, byteOffset, byteLength }: Float32Array, run: Run): boolean =>
  buffer === run.buffer && byteOffset >= run.from && byteOffset + byteLength <= run.to;
