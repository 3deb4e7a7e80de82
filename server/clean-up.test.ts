import assert from "node:assert/strict";
import { mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import { createLog } from "../shared/log.js";
import { memoryFolderOf } from "../shared/near/index.js";
import { createCleanUp } from "./clean-up.js";
import { serve, smallTask, temporaryFolder } from "./test-server.test.helper.js";

function logged() {
  const lines: string[] = [];
  return { lines, log: createLog({ level: "debug", pretty: false, write: (line) => lines.push(line) }) };
}

/** A clean-up of which the second and the third action fail. @returns what is done, in order. */
function failing() {
  const cleanUp = createCleanUp();
  const done: string[] = [];
  cleanUp.add(() => void done.push("first"));
  cleanUp.add(async () => {
    done.push("second");
    throw new Error("the second failed");
  });
  cleanUp.add(() => {
    done.push("third");
    throw new Error("the third failed");
  });
  cleanUp.add(() => void done.push("last"));
  return { cleanUp, done };
}

const NEWEST_FIRST = ["last", "third", "second", "first"];

describe("createCleanUp()", () => {
  it("undoes everything although some of it fails, and then throws the first failure", async () => {
    const { cleanUp, done } = failing();
    await assert.rejects(cleanUp.run(), { message: "the third failed" });
    assert.deepEqual(done, NEWEST_FIRST);
    await cleanUp.run();
    assert.deepEqual(done, NEWEST_FIRST, "what is undone is forgotten");
  });

  it("only logs what fails after a failure", async () => {
    const { cleanUp, done } = failing();
    const { lines, log } = logged();
    await cleanUp.runAfterFailure(log);
    assert.deepEqual(done, NEWEST_FIRST);
    assert.equal(lines.length, 1);
    assert.match(lines[0], /the third failed/);
  });
});

/** Options of a server whose shard can't give its shared memory back. */
function unclean(test: TestContext) {
  const folder = mkdtempSync(join(memoryFolderOf({}), "isobatch-clean-up-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  const unmap = (): never => {
    throw new Error("nothing can be unmapped");
  };
  return { memory: { folder, mapper: { map: () => 1, unmap, lost: () => false } } };
}

const isUnlocked = (out: string): boolean => !readdirSync(out).some((name) => name.startsWith("lock"));

describe("a server of which something can't be undone", { timeout: 60_000 }, () => {
  it("says why it could not start, and leaves its run directory unlocked", async (test) => {
    const task = await smallTask(2);
    const other = await serve(test, { task });
    const { lines, log } = logged();
    const out = temporaryFolder(test);
    await assert.rejects(serve(test, { task, out, log, listen: other.address, ...unclean(test) }), /in use/);
    assert.ok(lines.some((line) => /nothing can be unmapped/.test(line)));
    assert.ok(isUnlocked(out));
  });

  it("says why its run has failed, and leaves its run directory unlocked", async (test) => {
    const server = await serve(test, { task: await smallTask(2), ...unclean(test) });
    server.fail(new IsobatchError("exhausted", "The disk is full."));
    await assert.rejects(server.finished, { code: "exhausted", message: "The disk is full." });
    assert.ok(server.log.some((line) => /nothing can be unmapped/.test(line)));
    assert.ok(isUnlocked(server.out));
  });
});
