import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { UncompilableError } from "../../compiler.js";
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

  it("asks for rewriting as ConfigProto.graph_options does, and with XLA for the executor that knows its operations", () => {
    const config = (optimizers: "all" | string[], xla: boolean): Buffer =>
      Buffer.from(encodeConfig({ otherDevices: false, rewriting: { optimizers, xla } }));
    // Each a GraphOptions, as TensorFlow 2.21's Python serialises it, behind its tag and length.
    for (const [encoded, expected] of [
      [config([], false), "52055203980101"],
      [config(["layout", "remap"], false), "52135211a206066c61796f7574a2060572656d6170"],
      [config("all", true), "52081a04280238015200"],
    ] as const) {
      assert.ok(encoded.includes(Buffer.from(expected, "hex")), encoded.toString("hex"));
    }
    assert.equal(namesExecutor(config("all", false)), true);
    assert.equal(namesExecutor(config([], true)), false);
  });
});

describe("encodeGraph()", () => {
  it("refuses more constants than a protocol buffer can hold", () => {
    const attributes = { value: new Uint8Array(1_100_000_000) };
    const nodes = ["a", "b"].map((name) => ({ name, operation: "Const", inputs: [], attributes }));
    assert.throws(() => encodeGraph(nodes, { otherDevices: false }), UncompilableError);
  });

  it("places operations as NodeDef.device does", () => {
    const node = { name: "a", operation: "B", inputs: [], attributes: {} };
    const encoded = (device?: string) => Buffer.from(encodeGraph([node], { otherDevices: false, device }));
    const placed = [0x0a, 10, 0x0a, 1, 0x61, 0x12, 1, 0x42, 0x22, 2, 0x2f, 0x67];
    assert.deepEqual([...encoded("/g").subarray(0, placed.length)], placed);
    assert.deepEqual([...encoded().subarray(0, 8)], [0x0a, 6, 0x0a, 1, 0x61, 0x12, 1, 0x42]);
  });
});
