import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import { type Connection, connect, type JoinResponse } from "../shared/wire/index.js";
import { type FakeServer, startFakeServer } from "./fake-server.test.helper.js";
import { join } from "./join.js";

const WORKER = {
  backend: {
    name: "wasm" as const,
    numerics: { backend: "wasm", version: "4", architecture: "x64", flags: "" },
    device: "one thread",
  },
  computeThreads: 2,
  runId: undefined,
  signal: new AbortController().signal,
};

async function serve(test: TestContext): Promise<FakeServer & { connection: Connection }> {
  const server = await startFakeServer();
  const connection = await connect(server.address, { waitMs: 5_000 });
  test.after(() => {
    connection.close();
    return server.close();
  });
  return { ...server, connection };
}

describe("join()", () => {
  it("learns all that computing needs", async (test) => {
    const { connection, layout, task, address } = await serve(test);
    const joined = await join(connection, WORKER);
    assert.deepEqual(joined.task, task);
    assert.deepEqual(joined.layout, layout);
    assert.deepEqual([joined.workerId, joined.runId, joined.heartbeatMs], ["worker-1", "run-1", 50]);
    assert.deepEqual(
      joined.shards.map(({ firstChunk, endChunk }) => [firstChunk, endChunk]),
      [
        [0, Math.floor(layout.chunks.length / 2)],
        [Math.floor(layout.chunks.length / 2), layout.chunks.length],
      ],
    );
    assert.deepEqual(joined.shards[0].address, address, "an empty host is the one that the server was reached at");
  });

  it("distinguishes two runs, models and data sets, but not two joins of one", async (test) => {
    const { connection, behaviour } = await serve(test);
    const identities = new Set<string>();
    const changes: Partial<JoinResponse>[] = [
      {},
      { workerId: "other" },
      { runId: "run-2" },
      { datasetFingerprint: "0" },
    ];
    for (const change of changes) {
      behaviour.join = (response) => ({ ...response, ...change });
      identities.add((await join(connection, WORKER)).identity);
    }
    assert.equal(identities.size, 3);
  });

  it("refuses an answer that can't be used, with the reason", async (test) => {
    const { connection, behaviour, layout } = await serve(test);
    const count = layout.chunks.length;
    const wrong: [Partial<JoinResponse>, RegExp][] = [
      [{ layoutJson: "{" }, /JSON/],
      [{ taskJson: "{}" }, /the task/],
      [{ sampleFormJson: '{"input":{"shape":[],"type":"int64"},"label":{"shape":[]}}' }, /its samples have the form/],
      [{ heartbeatMs: 0 }, /a heartbeat every 0 ms; allowed are 10 to 60000/],
      [{ shards: [] }, /its shards hold 0 of \d+ chunks/],
      [{ shards: [{ index: 3, address: ":1", firstChunk: 1, endChunk: count }] }, /shard 3 has the chunks 1 to/],
      [
        { shards: [{ index: 0, address: "[::1", firstChunk: 0, endChunk: count }] },
        /shard 0: "\[::1" is not an address/,
      ],
    ];
    for (const [change, reason] of wrong) {
      behaviour.join = (response) => ({ ...response, ...change });
      await assert.rejects(join(connection, WORKER), (error: unknown) => {
        assert.ok(error instanceof IsobatchError && error.code === "damaged", String(error));
        assert.match(error.message, /^The server's answer to Join can't be used: .*[^.]\.$/s);
        assert.match(error.message, reason);
        return true;
      });
    }
  });
});
