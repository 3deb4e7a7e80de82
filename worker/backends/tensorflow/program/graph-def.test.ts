import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { encodeConfig, encodeGraph } from "./graph-def.js";

describe("encodeConfig()", () => {
  const namesExecutor = (config: Uint8Array): boolean => Buffer.from(config).includes("SINGLE_THREADED_EXECUTOR");

  it("names the single-threaded executor only where there is one device: with two it never returns", () => {
    assert.equal(namesExecutor(encodeConfig({ otherDevices: false })), true);
    assert.equal(namesExecutor(encodeConfig({ otherDevices: true })), false);
    assert.equal(namesExecutor(encodeConfig({ otherDevices: false, cpuDevices: 2 })), false);
  });

  it("asks for virtual CPU devices as ConfigProto.device_count does", () => {
    const entry = [0x0a, 7, 0x0a, 3, ...Buffer.from("CPU"), 0x10, 2];
    assert.deepEqual([...encodeConfig({ otherDevices: false, cpuDevices: 2 }).subarray(0, entry.length)], entry);
  });
});

describe("encodeGraph()", () => {
  it("places operations as NodeDef.device does", () => {
    const node = { name: "a", operation: "B", inputs: [], attributes: {} };
    const encoded = (device?: string) => Buffer.from(encodeGraph([node], { otherDevices: false, device }));
    const placed = [0x0a, 10, 0x0a, 1, 0x61, 0x12, 1, 0x42, 0x22, 2, 0x2f, 0x67];
    assert.deepEqual([...encoded("/g").subarray(0, placed.length)], placed);
    assert.deepEqual([...encoded().subarray(0, 8)], [0x0a, 6, 0x0a, 1, 0x61, 0x12, 1, 0x42]);
  });
});
