import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { EVENTS, type EventKind, NUMBERS_MAX } from "./events.js";
import { eventLines, lostLine, nameLine } from "./format.js";

const PLACE = { pid: 12, tid: 3 };

describe("the table of events", () => {
  it("names no more numbers than an event has", () => {
    for (const [name, { numbers }] of Object.entries<EventKind>(EVENTS)) assert.ok(numbers.length <= NUMBERS_MAX, name);
  });
});

describe("eventLines()", () => {
  const numbers = [1, 2, 3, 4, 5];
  const of = (name: string) => ({
    kind: Object.keys(EVENTS).indexOf(name),
    startMs: 1.25,
    durationMs: 0.0625,
    numbers,
  });

  it("writes a thread's own work as one complete event, in microseconds", () => {
    assert.equal(
      eventLines(of("start"), PLACE, 9),
      '{"ph":"X","name":"start","cat":"isobatch","pid":12,"tid":3,"ts":1250.000,"dur":62.500,"args":{}},\n',
    );
  });

  it("writes what is waited for as a pair with an identifier of the process", () => {
    assert.equal(
      eventLines(of("modules"), PLACE, 255),
      '{"ph":"b","name":"modules","cat":"isobatch","pid":12,"tid":3,"ts":1250.000,"id2":{"local":"0xff"},"args":{}},\n' +
        '{"ph":"e","name":"modules","cat":"isobatch","pid":12,"tid":3,"ts":1312.500,"id2":{"local":"0xff"},"args":{}},\n',
    );
  });
});

describe("the other lines", () => {
  it("name processes and threads, whatever the name", () => {
    const name = 'worker "ä"\n';
    assert.deepEqual(JSON.parse(nameLine("process_name", PLACE, name).replace(/,\n$/, "")), {
      ph: "M",
      name: "process_name",
      ...PLACE,
      args: { name },
    });
  });

  it("say how many events are missing", () => {
    const { ts, args } = JSON.parse(lostLine(PLACE, 2, 5).replace(/,\n$/, ""));
    assert.deepEqual({ ts, args }, { ts: 2000, args: { events: 5 } });
  });
});
