/**
 * A trace: what each process and thread of a run did when, for Perfetto. It is one per thread and reached from everywhere,
 * like the log of a library, because what it records is spread over all of a step. While there is none, recording costs
 * one comparison.
 *
 * All times are CLOCK_MONOTONIC's, which all processes of a machine share; `performance.now()`, which is cheaper, counts
 * from a moment of its own in each thread.
 */
import { messageOf } from "../errors.js";
import { EVENTS, type EventName } from "./events.js";
import { eventLines, lostLine, nameLine, type Place } from "./format.js";
import { createRing, type RingReader, type RingWriter, ringReader, ringWriter } from "./ring.js";
import { openTraceFile, type TraceFile } from "./trace-file.js";

export interface TraceOptions {
  readonly path: string;
  /** What the process is called. */
  readonly process: string;
  /** Whether it begins the file and completes it; otherwise the process that started it does. */
  readonly begin: boolean;
  /** Is told why something is missing in the trace. */
  readonly warn: (line: string) => void;
}

/** A trace for another thread of this process. */
export interface ThreadTrace {
  /** What the thread calls `joinTrace` with. */
  readonly ring: SharedArrayBuffer;
  /** Says that the thread has ended. */
  end(): void;
}

/** What is recorded reaches the file so soon. */
const FLUSH_MS = 100;
/** Larger traces can hardly be looked at. */
const FILE_BYTES_MAX = 256 * 2 ** 20;

const NUMBER_OF = Object.fromEntries(Object.keys(EVENTS).map((name, i) => [name, i])) as Record<EventName, number>;

/** This thread's; undefined while there is no trace. */
let writer: RingWriter | undefined;
/** From this thread's performance.now() to CLOCK_MONOTONIC. */
let offsetMs = 0;

/** The present time, for `span`; 0 while there is no trace. */
export function began(): number {
  return writer === undefined ? 0 : performance.now();
}

/** Whether this thread's events are recorded; that does not begin later. */
export function isTraced(): boolean {
  return writer !== undefined;
}

/** Records what began then and ends now, with the event's numbers in order. */
export function span(name: EventName, begun: number, a = 0, b = 0, c = 0, d = 0, e = 0): void {
  if (writer === undefined) return;
  writer.write(NUMBER_OF[name], begun + offsetMs, performance.now() - begun, a, b, c, d, e);
}

/** Records how long the work takes that is waited for. */
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

/** Both clocks are the system's, so all that can go wrong is that something comes between two looks at them. */
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

/** What a process's main thread has of its trace. */
interface Recording {
  readonly threads: Set<Thread>;
  /** Appends lines. What goes wrong ends this process's part, and nothing else. */
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

/** Gives this process another name, now that more is known of it. */
export function nameProcess(name: string): void {
  recording?.write(nameLine("process_name", { pid: process.pid, tid: process.pid }, name));
}

/**
 * A trace for a thread of this process; undefined while there is none.
 * @param tid its number; by default one that no other thread has
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

  /** The file is closed when the process ends: others may still add to it. */
  function stop(why: string): void {
    stopped = true;
    clearInterval(timer);
    writer = undefined;
    warn(`The trace lacks what this process does from now on. ${why}`);
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
