import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import { createLayout, layoutToJson } from "../shared/layout/index.js";
import { createLog } from "../shared/log.js";
import { coordinatorService, createHandlers, createServer, type ShardWelcome } from "../shared/wire/index.js";
import { startShard } from "./start-shard.js";

const WELCOME_MS = 10_000;

type Handlers = ReturnType<typeof createHandlers>;

/** Starts a shard of a coordinator that serves it so. */
async function startAt(test: TestContext, serve: Parameters<Handlers["bidi"]>[0]) {
  const { bidi } = createHandlers(() => {});
  const server = createServer();
  server.addService(coordinatorService, { Serve: bidi(serve) });
  const coordinator = await server.listen({ host: "127.0.0.1", port: 0 });
  test.after(() => server.shutdown(0));
  return () =>
    startShard({
      index: 1,
      coordinator,
      token: "a token",
      out: "unused",
      listen: { host: "127.0.0.1", port: 0 },
      log: createLog({ level: "silent", pretty: false }),
    });
}

/** The timers of `ms` milliseconds that are started from now on, and those of them that are not cleared. */
function watchTimers(test: TestContext, ms: number) {
  const { setTimeout, clearTimeout } = globalThis;
  const started: unknown[] = [];
  const left = new Set<unknown>();
  test.mock.method(globalThis, "setTimeout", (...args: Parameters<typeof setTimeout>) => {
    const timer = setTimeout(...args);
    if (args[1] === ms) {
      started.push(timer);
      left.add(timer);
    }
    return timer;
  });
  test.mock.method(globalThis, "clearTimeout", (timer: Parameters<typeof clearTimeout>[0]) => {
    left.delete(timer);
    clearTimeout(timer);
  });
  return { started, left };
}

describe("startShard()", { timeout: 60_000 }, () => {
  it("refuses a welcome with a wire format that it does not know", async (test) => {
    const layout = createLayout([{ name: "kernel", shape: [8], kind: "parameter", decay: true }]);
    const start = await startAt(test, (call) => {
      const chunks = { firstChunk: 0, endChunk: 1 };
      const run = { runId: "a run", taskHash: "", layoutJson: layoutToJson(layout), leaseKey: Buffer.alloc(32) };
      call.write({ welcome: { ...run, ...chunks, passes: [], wire: "float16" } satisfies ShardWelcome });
    });
    await assert.rejects(start(), {
      code: "damaged",
      message: `The coordinator's welcome has the wire format "float16"; there are float32 and bfloat16.`,
    });
  });

  it("waits for its welcome no longer when it is refused", async (test) => {
    const start = await startAt(test, () => {
      throw new IsobatchError("refused", "This run has no shard 1 for another process; it has 1.");
    });
    const timers = watchTimers(test, WELCOME_MS);
    await assert.rejects(start(), { code: "refused" });
    assert.equal(timers.started.length, 1);
    assert.equal(timers.left.size, 0);
  });
});
