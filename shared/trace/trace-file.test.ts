import assert from "node:assert/strict";
import { appendFileSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { openTraceFile } from "./trace-file.js";

describe("a trace's file", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-trace-"));
  });
  after(() => rmSync(folder, { recursive: true }));
  const path = (name: string): string => join(folder, name);
  const line = (n: unknown): string => `{"id2":{"local":1},"args":${JSON.stringify({ n })}},\n`;
  const parsed = (name: string): unknown[] =>
    (JSON.parse(readFileSync(path(name), "utf8")) as { args: { n: unknown } }[]).map(({ args }) => args.n);

  it("has the lines of all who added to it, as a JSON array", () => {
    const own = openTraceFile(path("several"), true);
    const other = openTraceFile(path("several"), false);
    own.append(line(1));
    other.append(line(2) + line("größer"));
    own.append(line(3));
    other.close();
    own.close();
    assert.deepEqual(parsed("several"), [1, 2, "größer", 3]);
  });

  it("can be read, but for its end, when nobody completes it", () => {
    const own = openTraceFile(path("open"), true);
    own.append(line(1));
    own.append(line(2));
    const text = readFileSync(path("open"), "utf8");
    assert.equal(JSON.parse(text.replace(/,\n$/, "]")).length, 2);
    own.close();
  });

  it("is an empty array without a line", () => {
    openTraceFile(path("empty"), true).close();
    assert.deepEqual(parsed("empty"), []);
  });

  it("leaves out the line that a process was killed in, wherever that was, and no other", () => {
    const own = openTraceFile(path("torn"), true);
    own.append(line(1));
    for (let length = 0; length < line(0).length - 1; length++) {
      appendFileSync(path("torn"), line(0).slice(0, length));
      own.append(line(2));
    }
    own.close();
    assert.deepEqual(parsed("torn"), [1, ...Array.from({ length: line(0).length - 1 }, () => 2)]);
  });

  it("has a line that is longer than what is read at once", () => {
    const own = openTraceFile(path("long"), true);
    own.append(line(1) + line("x".repeat(2 ** 21)) + line(2));
    own.close();
    assert.deepEqual(parsed("long"), [1, "x".repeat(2 ** 21), 2]);
  });

  it("is not spoilt by a process that writes when it is complete, and leaves no other file", () => {
    const own = openTraceFile(path("late"), true);
    const other = openTraceFile(path("late"), false);
    own.append(line(1));
    own.close();
    other.append(line(2));
    other.close();
    assert.deepEqual(parsed("late"), [1]);
    assert.deepEqual(
      readdirSync(folder).filter((name) => name.startsWith("late")),
      ["late"],
    );
  });

  it("takes the place of an earlier trace, and of nothing else", () => {
    openTraceFile(path("again"), true).close();
    const own = openTraceFile(path("again"), true);
    own.append(line(1));
    own.close();
    assert.deepEqual(parsed("again"), [1]);
    writeFileSync(path("notes"), "notes");
    assert.throws(
      () => openTraceFile(path("notes"), true),
      /holds something other than a trace; choose another one\.$/,
    );
    assert.equal(readFileSync(path("notes"), "utf8"), "notes");
  });

  it("that can't be written is refused in one sentence", () => {
    mkdirSync(path("folder"));
    assert.throws(() => openTraceFile(path("folder"), true), {
      code: "invalid_input",
      message: /^Can't open .*folder: /,
    });
    assert.throws(() => openTraceFile(path("none/trace"), true), {
      code: "invalid_input",
      message: `Can't write ${path("none/trace")}: there is no such file or folder. Check the path.`,
    });
  });
});
