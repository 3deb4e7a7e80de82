import assert from "node:assert/strict";
import { type ChildProcess, spawn } from "node:child_process";
import { describe, it, type TestContext } from "node:test";
import { answerOf, ended } from "./child-answer.js";

function start(test: TestContext, code: string): ChildProcess {
  const child = spawn(process.execPath, ["-e", code], { stdio: ["ignore", "inherit", "inherit", "ipc"] });
  test.after(() => void child.kill("SIGKILL"));
  return child;
}

/** A process that stays even if its channel closes. */
const DEAF = `process.on("message", () => process.send("heard")); process.send("here"); setInterval(() => {}, 1000);`;

describe("answerOf()", { timeout: 60_000 }, () => {
  it("resolves with the next message", async (test) => {
    const child = start(test, DEAF);
    assert.equal(await answerOf(child), "here");
    child.send("?");
    assert.equal(await answerOf(child), "heard");
  });

  it("fails when the process ends without a message, or sends none in time", async (test) => {
    await assert.rejects(answerOf(start(test, "process.exit(3)")), /ended with code 3/);
    const child = start(test, DEAF);
    await answerOf(child);
    await assert.rejects(answerOf(child, 10), /has not answered for 0.01 s/);
  });
});

describe("ended()", { timeout: 60_000 }, () => {
  it("waits for a process that ends with its channel, and kills one that does not", async (test) => {
    const obedient = start(test, `process.once("disconnect", () => process.exit(4)); process.send("here");`);
    await answerOf(obedient);
    await ended(obedient, 60_000);
    assert.equal(obedient.exitCode, 4);
    const deaf = start(test, DEAF);
    await answerOf(deaf);
    await ended(deaf, 10);
    assert.equal(deaf.signalCode, "SIGKILL");
  });
});
