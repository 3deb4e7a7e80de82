import assert from "node:assert/strict";
import { spawnSync } from "node:child_process";
import { appendFileSync, mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import { openJsonLines, readJsonLines } from "./json-lines.js";

interface Item {
  readonly n: number;
}

let root: string;
let files = 0;
const newPath = () => join(root, `${files++}.jsonl`);
const textOf = (...numbers: number[]) => numbers.map((n) => `{"n":${n}}\n`).join("");
const isDamaged = (error: unknown) => error instanceof IsobatchError && error.code === "damaged";

before(() => {
  root = mkdtempSync(join(tmpdir(), "isobatch-lines-"));
});
after(() => rmSync(root, { recursive: true }));

/** Collects what a subscription delivers, and resolves `until(count)` when it has that much. */
function collect(from: number, lines: ReturnType<typeof openJsonLines<Item>>) {
  const got: [number, string][] = [];
  const waiting: { count: number; done: () => void }[] = [];
  const stop = lines.subscribe(from, (json, line) => {
    got.push([line, json]);
    for (const { count, done } of waiting) if (got.length >= count) done();
  });
  const until = (count: number) =>
    new Promise<void>((done) => (got.length >= count ? done() : waiting.push({ count, done })));
  return { got, stop, until };
}

describe("JsonLines.append()", () => {
  it("continues after the lines of an earlier process, and cuts off a torn one", () => {
    for (const torn of ['{"n":', '{"n":3}', '{"n":\n', "\0\0\0"]) {
      const path = newPath();
      writeFileSync(path, textOf(0, 1) + torn);
      const lines = openJsonLines<Item>(path);
      assert.equal(lines.count, 2, JSON.stringify(torn));
      lines.append({ n: 2 });
      lines.close();
      assert.equal(readFileSync(path, "utf8"), textOf(0, 1, 2));
    }
  });
});

describe("a full disk", () => {
  const disk = join(tmpdir(), `isobatch-lines-disk-${process.pid}`);
  mkdirSync(disk);
  const mounted = spawnSync("mount", ["-t", "tmpfs", "-o", "size=16k", "tmpfs", disk]);
  const skip = mounted.status === 0 ? false : `no tmpfs can be mounted here: ${mounted.stderr ?? mounted.error}`;
  after(() => {
    if (skip === false) spawnSync("umount", [disk]);
    rmSync(disk, { recursive: true });
  });

  it("is one clear error, and the file ends with a whole line", { skip }, () => {
    const path = join(disk, "metrics.jsonl");
    const lines = openJsonLines<Item>(path);
    const fill = () => {
      for (let n = 0; n < 10_000; n++) lines.append({ n });
    };
    assert.throws(fill, (error) => error instanceof IsobatchError && error.code === "exhausted");
    const { count } = lines;
    lines.close();
    assert.ok(count > 1000);
    assert.equal(readFileSync(path, "utf8"), textOf(...Array(count).keys()));
  });
});

describe("JsonLines.cut()", () => {
  it("removes the refused lines from the file and the numbering", () => {
    const path = newPath();
    const lines = openJsonLines<Item>(path);
    for (let n = 0; n < 1000; n++) lines.append({ n });
    lines.cut(({ n }) => n < 300 || n === 700);
    assert.equal(lines.count, 301);
    lines.append({ n: 5000 });
    lines.close();
    const kept = [...readJsonLines<Item>(path)].map(({ n }) => n);
    assert.deepEqual(kept, [...Array(300).keys(), 700, 5000]);
  });

  it("refuses a file with a broken line in its middle, and leaves it as it was", () => {
    const path = newPath();
    const text = `${textOf(0)}{broken\n${textOf(1)}`;
    writeFileSync(path, text);
    const lines = openJsonLines<Item>(path);
    assert.throws(() => lines.cut(() => true), isDamaged);
    lines.close();
    assert.equal(readFileSync(path, "utf8"), text);
    assert.throws(() => [...readJsonLines(path)], isDamaged);
  });
});

describe("JsonLines.subscribe()", () => {
  it("delivers old lines, then new ones, each once and in order", async () => {
    const lines = openJsonLines<Item>(newPath());
    for (let n = 0; n < 700; n++) lines.append({ n });
    const { got, until, stop } = collect(290, lines);
    lines.append({ n: 700 });
    await until(411);
    lines.append({ n: 701 });
    await until(412);
    stop();
    lines.append({ n: 702 });
    assert.deepEqual(
      got,
      Array.from({ length: 412 }, (_, i) => [290 + i, `{"n":${290 + i}}`]),
    );
    lines.close();
  });

  it("waits for a slow listener", async () => {
    const lines = openJsonLines<Item>(newPath());
    const got: number[] = [];
    let free = () => {};
    lines.subscribe(0, (_, line) => {
      got.push(line);
      return new Promise<void>((resolve) => {
        free = resolve;
      });
    });
    for (let n = 0; n < 5; n++) lines.append({ n });
    assert.deepEqual(got, [0]);
    for (let n = 1; n < 5; n++) {
      free();
      while (got.length < n + 1) await new Promise((resolve) => setImmediate(resolve));
      assert.equal(got.length, n + 1);
    }
    lines.close();
  });

  it("continues behind a cut with the lines that come after it", async () => {
    const lines = openJsonLines<Item>(newPath());
    for (let n = 0; n < 10; n++) lines.append({ n });
    const { got, until } = collect(0, lines);
    await until(10);
    lines.cut(({ n }) => n < 4);
    lines.append({ n: 40 });
    await until(11);
    assert.deepEqual(got.at(-1), [4, '{"n":40}']);
    lines.close();
  });

  it("drops a listener that throws, and continues for the others", async () => {
    const lines = openJsonLines<Item>(newPath());
    let calls = 0;
    lines.subscribe(0, () => {
      calls += 1;
      throw new Error("gone");
    });
    const { until } = collect(0, lines);
    lines.append({ n: 0 });
    lines.append({ n: 1 });
    await until(2);
    assert.equal(calls, 1);
    lines.close();
  });
});

describe("readJsonLines()", () => {
  it("leaves out a torn last line, and finds nothing where there is no file", () => {
    const path = newPath();
    assert.deepEqual([...readJsonLines(path)], []);
    writeFileSync(path, textOf(1, 2));
    appendFileSync(path, '{"n":3');
    assert.deepEqual([...readJsonLines(path)], [{ n: 1 }, { n: 2 }]);
  });

  it("reads lines longer than its buffer", () => {
    const path = newPath();
    const long = { n: 1, text: "ä".repeat(200_000) };
    writeFileSync(path, `${JSON.stringify(long)}\n${textOf(2)}`);
    assert.deepEqual([...readJsonLines(path)], [long, { n: 2 }]);
  });
});
