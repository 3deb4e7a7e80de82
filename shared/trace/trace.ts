/**
 * A trace: what each process and thread of a run did when, for Perfetto. There is one per thread, reachable from
 * everywhere, like a library's log, because what it records is spread over all of a step. While there is none,
 * recording costs one comparison.
 *
 * All times are CLOCK_MONOTONIC's, which all processes of a machine share; `performance.now()`, which is cheaper, has
 * a different origin in each thread.
 */
import { messageOf } from "../errors.js";
import { EVENTS, type EventName } from "./events.js";
import { eventLines, lostLine, nameLine, type Place } from "./format.js";
import { createRing, type RingReader, type RingWriter, ringReader, ringWriter } from "./ring.js";
import { openTraceFile, type TraceFile } from "./trace-file.js";

export interface TraceOptions {
  readonly path: string;
  /** The name of the process. */
  readonly process: string;
  /** Whether the process starts the file and completes it; otherwise its parent does. */
  readonly begin: boolean;
  /** Called with the reason if something is missing in the trace. */
  readonly warn: (line: string) => void;
}

/** A trace for another thread of this process. */
export interface ThreadTrace {
  /** The argument with which the thread calls `joinTrace`. */
  readonly ring: SharedArrayBuffer;
  /** To be called when the thread has ended. */
  end(): void;
}

/** How soon events reach the file. */
const FLUSH_MS = 100;
/** Larger traces can hardly be displayed. */
const FILE_BYTES_MAX = 256 * 2 ** 20;

const NUMBER_OF = Object.fromEntries(Object.keys(EVENTS).map((name, i) => [name, i])) as Record<EventName, number>;

/** This thread's ring; undefined while there is no trace. */
let writer: RingWriter | undefined;
/** The difference between CLOCK_MONOTONIC and this thread's performance.now(). */
let offsetMs = 0;

/** The current time, for `span`; 0 while there is no trace. */
export function began(): number {
  return writer === undefined ? 0 : performance.now();
}

/** Whether this thread's events are recorded; that does not start later. */
export function isTraced(): boolean {
  return writer !== undefined;
}

/** Records an event that started then and ends now, with its numbers in order. */
export function span(name: EventName, begun: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
  if (writer === undefined) return;
  writer.write(NUMBER_OF[name], begun + offsetMs, performance.now() - begun, a, b, c, d, e);
}

/** Records how long asynchronous work takes. */
export async function during<Result>(name: EventName, work: () => Promise<Result>): Promise<Result> {
  const begun = began();
  const result = await work();
  span(name, begun);
  return result;
}

/** Records this thread's events from now on. */
export function joinTrace(ring: SharedArrayBuffer | undefined): void {
  if (ring === undefined) return;
  offsetMs = clockOffsetMs();
  writer = ringWriter(ring);
}

/** Both clocks are the system's, so the only error is time that passes between two readings. */
function clockOffsetMs(): number {
  let best = { offsetMs: 0, withinMs: Number.POSITIVE_INFINITY };
  for (let i = 0; i < 5; i++) {
    const before = performance.now();
    const monotonicMs = Number(process.hrtime.bigint()) / 1e6;
    const after = performance.now();
    if (after - before >= best.withinMs) continue;
    best = { offsetMs: monotonicMs - (before + after) / 2, withinMs: after - before };
  }
  return best.offsetMs;
}

interface Thread {
  readonly reader: RingReader;
  readonly place: Place;
}

/** The state of a process's trace on its main thread. */
interface Recording {
  readonly threads: Set<Thread>;
  /** Appends lines. A failure ends only this process's part of the trace. */
  write(lines: string): void;
  flush(): void;
  end(): void;
}

let recording: Recording | undefined;
let recordedIn: string | undefined;
let nextThread = 1;

/**
 * Starts this process's trace, on its main thread.
 * @throws {IsobatchError} if the file can't be written
 */
export function startTrace(options: TraceOptions): void {
  recording = openRecording(openTraceFile(options.path, options.begin), options.warn);
  recordedIn = options.path;
  process.once("exit", recording.end);
  nameProcess(options.process);
  joinTrace(traceThread("main", process.pid)!.ring);
}

/** The file of this process's trace; undefined while there is none. */
export function tracedIn(): string | undefined {
  return recordedIn;
}

/** Renames this process, once more is known about it. */
export function nameProcess(name: string): void {
  recording?.write(nameLine("process_name", { pid: process.pid, tid: process.pid }, name));
}

/**
 * A trace for a thread of this process; undefined while there is none.
 * @param tid the number of the thread; by default a new one
 */
export function traceThread(name: string, tid = nextThread++): ThreadTrace | undefined {
  if (recording === undefined) return undefined;
  const { threads, write, flush } = recording;
  const ring = createRing();
  const thread = { reader: ringReader(ring), place: { pid: process.pid, tid } };
  threads.add(thread);
  write(nameLine("thread_name", thread.place, name));
  return {
    ring,
    end() {
      flush();
      threads.delete(thread);
    },
  };
}

function openRecording(file: TraceFile, warn: (line: string) => void): Recording {
  const threads = new Set<Thread>();
  let waits = 0;
  let stopped = false;
  const timer = setInterval(flush, FLUSH_MS).unref();

  /** The file is closed when the process ends: other processes may still append to it. */
  function stop(why: string): void {
    stopped = true;
    clearInterval(timer);
    writer = undefined;
    warn(`From now on the trace lacks what this process does. ${why}`);
  }

  function write(lines: string): void {
    if (stopped) return;
    try {
      file.append(lines);
    } catch (error) {
      return stop(messageOf(error));
    }
    if (file.bytes > FILE_BYTES_MAX) stop(`It has added ${FILE_BYTES_MAX / 2 ** 20} MiB, which is the limit.`);
  }

  function flush(): void {
    let lines = "";
    for (const { reader, place } of threads) {
      const lost = reader.read((event) => {
        lines += eventLines(event, place, waits++);
      });
      if (lost > 0) lines += lostLine(place, performance.now() + offsetMs, lost);
    }
    if (lines !== "") write(lines);
  }

  return {
    threads,
    write,
    flush,
    end() {
      flush();
      try {
        file.close();
      } catch (error) {
        warn(`The trace is incomplete. ${messageOf(error)}`);
      }
    },
  };
}
