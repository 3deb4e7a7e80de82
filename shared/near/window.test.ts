import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { createKernelMemory, instantiateKernels } from "../kernels/index.js";
import { makeMappingInstallation } from "../native/file-mapper.test.helper.js";
import type { FileMapper } from "../native/process-addon.js";
import { makeFile, openFile } from "./files.js";
import { memoryFolderOf } from "./folder.js";
import { openWindow, PAGE_BYTES } from "./window.js";

const root = memoryFolderOf({});
const folder = mkdtempSync(join(root, "isobatch-window-"));
const installation = makeMappingInstallation();
after(() => {
  rmSync(folder, { recursive: true });
  installation?.remove();
});

const AT = 3 * PAGE_BYTES;
const BYTES = 2 * PAGE_BYTES;
let files = 0;

function makeShared(mapped: boolean, writable = true) {
  const path = join(folder, `file-${files++}`);
  closeSync(makeFile(root, path, BYTES));
  const memory = createKernelMemory(8 * PAGE_BYTES);
  const file = openFile(path, writable ? "update" : "read", BYTES);
  const mapper = mapped ? installation!.mapper : undefined;
  const window = openWindow({ memory, address: AT, bytes: BYTES, file, fileOffset: 0, writable, mapper });
  return {
    path,
    memory,
    file,
    window,
    floats: (at: number, length: number) => new Float32Array(memory.buffer, at, length),
  };
}

/** What another process sees in the file, through its own mapping or window. */
function seenByAnother(path: string, length: number): number[] {
  const code = `
    const { createRequire } = require("node:module");
    const fs = require("node:fs");
    const memory = new WebAssembly.Memory({ initial: 4, maximum: 4, shared: true });
    const file = fs.openSync(process.argv[1], "r");
    const bytes = new Uint8Array(memory.buffer, 0, ${BYTES});
    if (process.argv[2]) require(process.argv[2]).map(bytes, file, 0, false);
    else fs.readSync(file, bytes, 0, ${BYTES}, 0);
    console.log(JSON.stringify([...new Float32Array(memory.buffer, 0, ${length})]));`;
  return JSON.parse(
    execFileSync(process.execPath, ["-e", code, path, installation?.addon ?? ""], { encoding: "utf8" }),
  );
}

for (const mapped of [true, false]) {
  describe(`a ${mapped ? "mapped" : "copied"} window`, { skip: mapped && installation === undefined }, () => {
    it("shows another process the numbers that a kernel has computed, also after the memory has grown", () => {
      const { path, memory, window, floats } = makeShared(mapped);
      floats(0, 4).set([1, 2, 3, 4]);
      floats(AT, 4).set([10, 20, 30, 40]);
      instantiateKernels(memory).add(AT, 0, 4);
      memory.grow(100);
      instantiateKernels(memory).scale(AT, 2, 2);
      window.put(0, BYTES);
      assert.deepEqual(seenByAnother(path, 4), [22, 44, 33, 44]);
      assert.equal(window.mapped, mapped);
    });

    it("shows kernels and Buffers what another one has written, also before the memory grows and after", () => {
      const { path, memory, window, floats } = makeShared(mapped);
      const other = openSync(path, "r+");
      const write = (values: number[], at: number): void => {
        writeSync(other, new Uint8Array(new Float32Array(values).buffer), 0, 4 * values.length, at);
      };
      write([3, 4], 0);
      window.get(0, BYTES);
      assert.equal(instantiateKernels(memory).squaredNorm(AT, 2), 25);
      memory.grow(50);
      write([6, 8], PAGE_BYTES);
      window.get(PAGE_BYTES, 8);
      assert.equal(Buffer.from(memory.buffer, AT + PAGE_BYTES, 8).readFloatLE(4), 8);
      assert.equal(instantiateKernels(memory).squaredNorm(AT + PAGE_BYTES, 2), 100);
      assert.deepEqual([...floats(AT - 4, 1), ...floats(AT + BYTES, 1)], [0, 0]);
      closeSync(other);
    });

    it("for reading shows what changes in the file, also after the memory has grown, and never changes it", () => {
      const { path, memory, window, floats } = makeShared(mapped, false);
      const other = openSync(path, "r+");
      for (const value of [5, 6, 7]) {
        writeSync(other, new Uint8Array(new Float32Array([value]).buffer), 0, 4, 0);
        window.get(0, 4);
        assert.equal(floats(AT, 1)[0], value);
        memory.grow(1);
      }
      // Since the memory has grown its pages may be written to; what is written stays in this process.
      floats(AT, 1)[0] = 99;
      assert.equal(readFileSync(path).readFloatLE(0), 7);
      closeSync(other);
    });

    it("reads zeros and says so, instead of ending the process, when the file has become shorter", () => {
      const { path, window, floats } = makeShared(mapped);
      floats(AT, 1)[0] = 1;
      floats(AT + PAGE_BYTES, 1)[0] = 1;
      window.put(0, BYTES);
      truncateSync(path, PAGE_BYTES);
      if (mapped) assert.equal(floats(AT + PAGE_BYTES, 1)[0], 0);
      assert.throws(() => window.get(PAGE_BYTES, 4), /has made its file shorter/);
      assert.equal(floats(AT, 1)[0], 1);
    });

    it("leaves empty memory behind when it is closed", { skip: !mapped }, () => {
      const { path, window, floats } = makeShared(mapped);
      floats(AT, 1)[0] = 1;
      window.close();
      assert.equal(floats(AT, 1)[0], 0);
      floats(AT, 1)[0] = 2;
      assert.equal(readFileSync(path).readFloatLE(0), 1);
    });
  });
}

describe("openWindow()", () => {
  it("gives the mapper's reason, as that of what can't be shared, when it refuses", () => {
    const refusing: FileMapper = {
      map() {
        throw new Error("the system refuses");
      },
      unmap() {},
      lost: () => false,
    };
    const memory = createKernelMemory(PAGE_BYTES);
    const place = { memory, address: 0, bytes: PAGE_BYTES, file: 0, fileOffset: 0, writable: true };
    assert.throws(() => openWindow({ ...place, mapper: refusing }), {
      name: "NearError",
      message: "the system refuses",
    });
  });
});

describe("the mapper", { skip: installation === undefined }, () => {
  const memory = createKernelMemory(4 * PAGE_BYTES);
  const bytes = (at: number, length: number): Uint8Array => new Uint8Array(memory.buffer, at, length);

  it("maps only files, none that is too short, and nothing that does not start with a page", () => {
    const { map } = installation!.mapper;
    const path = join(folder, "short");
    writeFileSync(path, Buffer.alloc(PAGE_BYTES - 1));
    const file = openSync(path, "r+");
    assert.throws(() => map(bytes(0, PAGE_BYTES), file, 0, true), /too short/);
    assert.throws(() => map(bytes(64, 64), file, 0, true), /start with a page/);
    assert.throws(() => map(bytes(0, 64), file, -1, true), /an offset/);
    assert.throws(() => map(bytes(0, 64), openSync("/dev/zero", "r"), 0, true), /not a file/);
    assert.throws(() => map(bytes(0, 64), 12_345, 0, true), /can't be looked at/);
    closeSync(file);
  });

  it("lets a file be mapped again in the same place, longer than before", () => {
    const path = join(folder, "longer");
    const file = makeFile(root, path, PAGE_BYTES);
    installation!.mapper.map(bytes(0, PAGE_BYTES), file, 0, true);
    bytes(0, 1)[0] = 42;
    writeSync(file, new Uint8Array(PAGE_BYTES), 0, PAGE_BYTES, PAGE_BYTES);
    const mapping = installation!.mapper.map(bytes(0, 2 * PAGE_BYTES), file, 0, true);
    assert.equal(bytes(0, 1)[0], 42);
    bytes(PAGE_BYTES, 1)[0] = 43;
    assert.equal(readFileSync(path)[PAGE_BYTES], 43);
    truncateSync(path, 0);
    assert.equal(bytes(0, 1)[0], 0);
    assert.ok(installation!.mapper.lost(mapping));
    closeSync(file);
  });
});
