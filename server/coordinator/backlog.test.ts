import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createBacklog } from "./backlog.js";

async function until(condition: () => boolean): Promise<void> {
  const deadlineMs = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < deadlineMs, "nothing happened");
    await new Promise((resolve) => setTimeout(resolve, 1));
  }
}

describe("a backlog", () => {
  it("does nothing at once, and everything in order by itself", async () => {
    const done: number[] = [];
    const backlog = createBacklog((error) => assert.fail(String(error)));
    for (const n of [1, 2, 3]) backlog.add(() => done.push(n));
    assert.deepEqual(done, []);
    await until(() => done.length === 3);
    assert.deepEqual(done, [1, 2, 3]);
  });

  it("is done when something depends on it, once", async () => {
    const done: number[] = [];
    const backlog = createBacklog((error) => assert.fail(String(error)));
    backlog.add(() => done.push(1));
    backlog.catchUp();
    assert.deepEqual(done, [1]);
    backlog.add(() => done.push(2));
    await until(() => done.length > 1);
    assert.deepEqual(done, [1, 2]);
  });

  it("never gets long", () => {
    const done: number[] = [];
    const backlog = createBacklog((error) => assert.fail(String(error)));
    for (let n = 0; n < 100; n++) {
      backlog.add(() => done.push(n));
      assert.ok(n + 1 - done.length <= 4);
    }
    backlog.catchUp();
    assert.deepEqual(done, [...Array(100).keys()]);
  });

  it("throws what its work throws to the caller, or hands it on when there is none, and drops the rest", async () => {
    const failures: string[] = [];
    const backlog = createBacklog((error) => failures.push((error as Error).message));
    const fail = (message: string) => () => {
      throw new Error(message);
    };
    backlog.add(fail("the disk is full"));
    backlog.add(fail("later"));
    assert.throws(() => backlog.catchUp(), /the disk is full/);
    backlog.catchUp();
    backlog.add(fail("again"));
    await until(() => failures.length > 0);
    assert.deepEqual(failures, ["again"]);
  });
});
