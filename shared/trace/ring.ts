/**
 * Passes events of one thread to the file: a ring of numbers in shared memory, written by the thread and read by the
 * main thread of its process, so that a thread inside a native call, or killed there, loses nothing that it has
 * recorded. A full ring accepts no events until it is read; the lost ones are counted.
 */
import { NUMBERS_MAX } from "./events.js";

export interface RecordedEvent {
  /** The event's number in the table. */
  readonly kind: number;
  /** The time of CLOCK_MONOTONIC. */
  readonly startMs: number;
  readonly durationMs: number;
  readonly numbers: readonly number[];
}

export interface RingWriter {
  write(kind: number, startMs: number, durationMs: number, a: number, b: number, c: number, d: number, e: number): void;
}

export interface RingReader {
  /** Passes on everything that was written since the last call. @returns the number of events lost meanwhile */
  read(take: (event: RecordedEvent) => void): number;
}

const RECORD = 3 + NUMBERS_MAX;
const CAPACITY = 16_384;
const HEADER_BYTES = 64;
/**
 * Places in the header: how many events were written, read and lost so far. A file is full long before they overflow.
 */
const [WRITTEN, READ, LOST] = [0, 1, 2];

export function createRing(capacity = CAPACITY): SharedArrayBuffer {
  return new SharedArrayBuffer(HEADER_BYTES + capacity * RECORD * Float64Array.BYTES_PER_ELEMENT);
}

function viewsOf(ring: SharedArrayBuffer) {
  const records = new Float64Array(ring, HEADER_BYTES);
  return { header: new Int32Array(ring, 0, 3), records, capacity: records.length / RECORD };
}

/** To be used by one thread only. */
export function ringWriter(ring: SharedArrayBuffer): RingWriter {
  const { header, records, capacity } = viewsOf(ring);
  return {
    write(kind, startMs, durationMs, a, b, c, d, e) {
      const written = Atomics.load(header, WRITTEN);
      if (written - Atomics.load(header, READ) >= capacity) {
        Atomics.add(header, LOST, 1);
        return;
      }
      const at = (written % capacity) * RECORD;
      records[at] = kind;
      records[at + 1] = startMs;
      records[at + 2] = durationMs;
      records[at + 3] = a;
      records[at + 4] = b;
      records[at + 5] = c;
      records[at + 6] = d;
      records[at + 7] = e;
      Atomics.store(header, WRITTEN, written + 1);
    },
  };
}

/** To be used by one thread only. */
export function ringReader(ring: SharedArrayBuffer): RingReader {
  const { header, records, capacity } = viewsOf(ring);
  let lostBefore = 0;
  return {
    read(take) {
      const written = Atomics.load(header, WRITTEN);
      for (let next = Atomics.load(header, READ); next !== written; next++) {
        const at = (next % capacity) * RECORD;
        const [kind, startMs, durationMs, ...numbers] = records.subarray(at, at + RECORD);
        take({ kind, startMs, durationMs, numbers });
      }
      Atomics.store(header, READ, written);
      const lost = Atomics.load(header, LOST);
      const since = lost - lostBefore;
      lostBefore = lost;
      return since;
    },
  };
}
