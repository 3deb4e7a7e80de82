import assert from "node:assert/strict";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import type { ServerReadableStream } from "@grpc/grpc-js";
import { IsobatchError } from "../shared/errors.js";
import {
  connect,
  createHandlers,
  createServer,
  type PushMessage,
  type PushResult,
  readMessages,
  shardService,
} from "../shared/wire/index.js";
import { createPushCalls, type PushCall } from "./push-calls.js";

type Call = ServerReadableStream<PushMessage, PushResult>;

/** A shard that is notified of calls, and takes each with `take`; and a worker's calls to it. */
async function open(test: TestContext, take: (call: Call) => Promise<PushResult>) {
  const heard: Call[] = [];
  let hear = (): void => {};
  const { clientStream } = createHandlers(assert.ifError);
  const server = createServer();
  server.addService(shardService, {
    PushSums: clientStream<PushMessage, PushResult>((call) => {
      heard.push(call);
      hear();
      return take(call);
    }),
  });
  test.after(() => server.shutdown(0));
  const connection = await connect(await server.listen({ host: "127.0.0.1", port: 0 }), { waitMs: 10_000 });
  test.after(() => connection.close());
  const calls = createPushCalls({ name: "shard 0", connection: async () => connection });
  /** Resolves when the shard has been notified of this many calls. */
  const until = async (count: number): Promise<void> => {
    while (heard.length < count) {
      await new Promise<void>((resolve) => {
        hear = resolve;
      });
    }
  };
  return { heard, calls, connection, until };
}

async function readAll(call: Call): Promise<PushResult> {
  let accepted = 0;
  for await (const _ of readMessages(call, { what: "A push" })) accepted += 1;
  return { accepted, dropped: 0 };
}

const NO_BYTES = Buffer.alloc(0);
const LEASE = { workerId: "w1", lease: 1, term: 1, step: 0, lo: 0, hi: 1, mac: NO_BYTES, losses: [1], seal: NO_BYTES };

async function push({ writer, answer }: PushCall): Promise<void> {
  await writer.write({ lease: LEASE });
  writer.end();
  await answer;
}

describe("createPushCalls()", { timeout: 60_000 }, () => {
  it("opens a call of which the shard is notified before there is anything to push, and takes that one", async (test) => {
    const { heard, calls, until } = await open(test, readAll);
    calls.openNext();
    calls.openNext();
    await until(1);
    await push(await calls.take());
    assert.equal(heard.length, 1);
    await push(await calls.take());
    assert.equal(heard.length, 2);
  });

  it("opens another one when the shard has ended the one that was open", async (test) => {
    let first = true;
    const { heard, calls, connection, until } = await open(test, async (call) => {
      if (!first) return readAll(call);
      first = false;
      throw new IsobatchError("unavailable", "A push sent nothing for 60 s.");
    });
    calls.openNext();
    await until(1);
    // What the shard says on the same connection afterwards comes behind that call's end.
    const another = createPushCalls({ name: "shard 0", connection: async () => connection });
    await push(await another.take());
    await push(await calls.take());
    assert.equal(heard.length, 3);
  });

  it("has no push wait for another one", async (test) => {
    const room = new AbortController();
    test.after(() => room.abort());
    let waiting = true;
    const { calls } = await open(test, async (call) => {
      if (waiting) {
        waiting = false;
        await once(room.signal, "abort");
      }
      return readAll(call);
    });
    const first = push(await calls.take());
    calls.openNext();
    await push(await calls.take());
    room.abort();
    await first;
  });

  it("cancels the call that nobody takes, when it is closed", async (test) => {
    let gone: Promise<unknown> | undefined;
    const { calls, until } = await open(test, (call) => {
      gone = once(call, "cancelled");
      return readAll(call);
    });
    calls.openNext();
    await until(1);
    calls.close();
    await gone;
    await assert.rejects(calls.take(), { code: "interrupted" });
  });
});
