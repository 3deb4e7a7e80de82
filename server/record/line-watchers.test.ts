import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLineWatchers } from "./line-watchers.js";

/** A file of lines that counts how often it is read. */
function watched() {
  const lines: string[] = [];
  let reads = 0;
  const watchers = createLineWatchers({
    get count() {
      return lines.length;
    },
    read(first) {
      reads++;
      return lines.slice(first);
    },
  });
  const append = (text: string): void => {
    lines.push(text);
    watchers.grown(text);
  };
  return { watchers, append, reads: () => reads };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

describe("a watcher of lines", { timeout: 10_000 }, () => {
  it("gets a line that it waits for at once, without a look into the file", async () => {
    const { watchers, append, reads } = watched();
    const got: string[] = [];
    watchers.subscribe(0, (text, line) => void got.push(`${line} ${text}`));
    for (const text of ["a", "b", "c"]) {
      append(text);
      await settled();
    }
    assert.deepEqual(got, ["0 a", "1 b", "2 c"]);
    assert.equal(reads(), 0);
  });

  it("gets what it has missed from the file, each line once and in order", async () => {
    const { watchers, append, reads } = watched();
    append("a");
    const got: string[] = [];
    watchers.subscribe(0, async (text, line) => {
      await settled();
      got.push(`${line} ${text}`);
    });
    for (const text of ["b", "c", "d"]) append(text);
    const deadline = performance.now() + 5_000;
    while (got.length < 4) {
      assert.ok(performance.now() < deadline, `only ${got.join(", ")} has come`);
      await settled();
    }
    assert.deepEqual(got, ["0 a", "1 b", "2 c", "3 d"]);
    assert.ok(reads() >= 2);
  });
});
