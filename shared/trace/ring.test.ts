import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRing, type RecordedEvent, ringReader, ringWriter } from "./ring.js";

describe("a ring", () => {
  const read = (ring: ReturnType<typeof ringReader>) => {
    const events: RecordedEvent[] = [];
    const lost = ring.read((event) => events.push(event));
    return { starts: events.map(({ startMs }) => startMs), events, lost };
  };
  const setUp = (capacity: number) => {
    const ring = createRing(capacity);
    const writer = ringWriter(ring);
    return { write: (startMs: number) => writer.write(7, startMs, 0.5, 1, 2, 3, 4, 5), reader: ringReader(ring) };
  };

  it("hands over what was written, once and in order", () => {
    const { write, reader } = setUp(4);
    write(10.25);
    assert.deepEqual(read(reader), {
      starts: [10.25],
      events: [{ kind: 7, startMs: 10.25, durationMs: 0.5, numbers: [1, 2, 3, 4, 5] }],
      lost: 0,
    });
    for (const startMs of [11, 12, 13, 14]) write(startMs);
    assert.deepEqual(read(reader).starts, [11, 12, 13, 14]);
    assert.deepEqual(read(reader).starts, []);
  });

  it("that is full keeps what it has, and says how much it lost", () => {
    const { write, reader } = setUp(2);
    for (const startMs of [1, 2, 3, 4, 5]) write(startMs);
    const { starts, lost } = read(reader);
    assert.deepEqual([starts, lost], [[1, 2], 3]);
    write(6);
    const then = read(reader);
    assert.deepEqual([then.starts, then.lost], [[6], 0]);
  });
});
