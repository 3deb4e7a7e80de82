import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makeMappingInstallation } from "../native/file-mapper.test.helper.js";
import { memoryFolderOf } from "./folder.js";
import { createSequencePages, makeSequence, openSequence } from "./sequence.js";

const memoryFolder = memoryFolderOf({});
const installation = makeMappingInstallation();
after(() => installation?.remove());

const WAYS = installation === undefined ? [false] : [true, false];

describe("the sequence of a shard's θ", () => {
  for (const written of WAYS) {
    for (const read of WAYS) {
      it(`is odd while θ moves and another even number afterwards, ${written ? "mapped" : "copied"} and read ${read ? "mapped" : "copied"}`, () => {
        const folder = mkdtempSync(join(memoryFolder, "isobatch-sequence-"));
        try {
          const mapper = (mapped: boolean) => (mapped ? installation!.mapper : undefined);
          const writer = makeSequence({ memoryFolder, folder, mapper: mapper(written) });
          const memory = createSequencePages(3);
          const reader = openSequence({ folder, memory, page: 1, mapper: mapper(read) });
          const seen = [reader.read()];
          const announced: number[] = [];
          for (let step = 0; step < 3; step++) {
            writer.moves();
            writer.moves();
            seen.push(reader.read());
            announced.push(writer.settle());
            assert.equal(reader.read(), announced.at(-1));
          }
          assert.deepEqual(seen, [0, 1, 3, 5]);
          assert.deepEqual(announced, [2, 4, 6]);
          assert.equal(writer.settle(), 8);
          reader.close();
          writer.close();
        } finally {
          rmSync(folder, { recursive: true });
        }
      });
    }
  }
});
