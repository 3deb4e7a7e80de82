import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";

const IMPORTS = 2;
const CODE = 10;
const DATA = 11;

/** A WebAssembly module's sections by id: each is its id, its length in LEB128, and that many bytes. */
function sections(module: Uint8Array): Map<number, Buffer> {
  const found = new Map<number, Buffer>();
  for (let at = 8; at < module.length; ) {
    const id = module[at++];
    let length = 0;
    for (let shift = 0; ; shift += 7) {
      const byte = module[at++];
      length |= (byte & 0x7f) << shift;
      if ((byte & 0x80) === 0) break;
    }
    found.set(id, Buffer.from(module.subarray(at, at + length)));
    at += length;
  }
  return found;
}

describe("kernels.wasm", () => {
  const module = sections(readFileSync(new URL("./kernels.wasm", import.meta.url)));

  it("imports tfjs's memory and nothing else", () => {
    const imports = module.get(IMPORTS)!;
    assert.equal(imports[0], 1, "one import");
    assert.match(imports.toString("latin1"), /env.memory/);
  });

  it("has no data, which would overwrite tfjs's when it is instantiated", () => {
    assert.ok(module.has(CODE));
    assert.ok(!module.has(DATA));
  });
});
