import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { giveBackMemory, takeMemory } from "./message-memory.js";

const LENGTH = 500_000;

describe("takeMemory()", () => {
  it("uses again what was given back, for a message of about the same length", () => {
    const first = takeMemory(LENGTH);
    giveBackMemory(first.subarray(10, 20));
    const second = takeMemory(LENGTH + 1);
    assert.equal(second.buffer, first.buffer);
    assert.equal(second.length, LENGTH + 1);
    giveBackMemory(second);
  });

  it("never lends one memory twice", () => {
    const first = takeMemory(LENGTH);
    giveBackMemory(first);
    giveBackMemory(first);
    assert.notEqual(takeMemory(LENGTH).buffer, takeMemory(LENGTH).buffer);
  });

  it("takes back nothing that it has not lent", () => {
    const foreign = Buffer.alloc(LENGTH);
    const small = takeMemory(100);
    giveBackMemory(foreign);
    giveBackMemory(small);
    assert.notEqual(takeMemory(LENGTH).buffer, foreign.buffer);
    assert.notEqual(takeMemory(100).byteOffset, small.byteOffset);
  });

  it("keeps no more than 16 MiB for later", () => {
    const taken = Array.from({ length: 40 }, () => takeMemory(1024 * 1024));
    for (const memory of taken) giveBackMemory(memory);
    const again = Array.from({ length: 40 }, () => takeMemory(1024 * 1024).buffer);
    const kept = again.filter((buffer) => taken.some((memory) => memory.buffer === buffer));
    assert.ok(kept.length > 0 && kept.length <= 16, `${kept.length} MiB were kept`);
  });
});
