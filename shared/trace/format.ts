/**
 * Recorded events as lines of the Trace Event Format's JSON array, which Perfetto and chrome://tracing read. A line is
 * one object and its comma, and `args` is its last field.
 *
 * @see https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
 */
import { EVENTS, type EventKind } from "./events.js";
import type { RecordedEvent } from "./ring.js";

/** The process and thread of an event; the main thread's number is the process's. */
export interface Place {
  readonly pid: number;
  readonly tid: number;
}

const KINDS: readonly (readonly [name: string, kind: EventKind])[] = Object.entries(EVENTS);

/** Converts to microseconds, with nanoseconds after the point. */
const time = (ms: number): string => (ms * 1_000).toFixed(3);

const line = (fields: string): string => `{${fields}},\n`;

/** @param waitId distinguishes the events of this process that span waits */
export function eventLines(event: RecordedEvent, { pid, tid }: Place, waitId: number): string {
  const [name, { numbers, waits, lease }] = KINDS[event.kind];
  const start = `"name":"${name}","cat":"isobatch","pid":${pid},"tid":${tid},"ts":${time(event.startMs)}`;
  const flow = lease === undefined ? "" : flowFields(lease, event.numbers[0]);
  const args = `"args":{${numbers.map((field, i) => `"${field}":${event.numbers[i]}`).join()}}`;
  if (!waits) return line(`"ph":"X",${start},"dur":${time(event.durationMs)}${flow},${args}`);
  const id = `"id2":{"local":"0x${waitId.toString(16)}"}`;
  const end = `"name":"${name}","cat":"isobatch","pid":${pid},"tid":${tid},"ts":${time(event.startMs + event.durationMs)}`;
  return line(`"ph":"b",${start},${id}${flow},${args}`) + line(`"ph":"e",${end},${id},"args":{}`);
}

function flowFields(direction: "from" | "to" | "both", lease: number): string {
  const bound = `,"bind_id":"0x${lease.toString(16)}"`;
  return `${bound}${direction === "to" ? "" : ',"flow_out":true'}${direction === "from" ? "" : ',"flow_in":true'}`;
}

/** Names a process, or one of its threads. */
export function nameLine(what: "process_name" | "thread_name", { pid, tid }: Place, name: string): string {
  return line(`"ph":"M","name":"${what}","pid":${pid},"tid":${tid},"args":{"name":${JSON.stringify(name)}}`);
}

/** A line that says that events are missing from here on. */
export function lostLine({ pid, tid }: Place, atMs: number, events: number): string {
  const what = `"ph":"i","name":"events lost","cat":"isobatch","pid":${pid},"tid":${tid},"ts":${time(atMs)},"s":"t"`;
  return line(`${what},"args":{"events":${events}}`);
}
