// A server and a worker that a program starts through the public API, in one process.
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join as joinPath } from "node:path";
import { after, before, describe, it } from "node:test";
import { join, serve } from "../../index.js";
import { pairsTask as task, writePairs } from "./pairs.test.helper.js";

describe("runs that a program serves", { timeout: 120_000 }, () => {
  let folder: string;
  let file: string;
  const out = (name: string): string => joinPath(folder, name);

  before(() => {
    folder = mkdtempSync(joinPath(tmpdir(), "isobatch-serving-"));
    file = joinPath(folder, "pairs.csv");
    writePairs(file);
  });
  after(() => rmSync(folder, { recursive: true, force: true }));

  it("are served to a worker of the same process, and end at once where that is asked for", async () => {
    const server = await serve(task("served", file, 6), {
      out: out("served"),
      listen: "127.0.0.1:0",
      dashboard: false,
    });
    assert.deepEqual([server.encrypted, server.tokenIsNew, server.dashboard], [false, true, undefined]);
    const options = { token: server.token!, backend: "wasm", computeThreads: 1 };
    const worker = await join(server.joinAddress, options);
    assert.equal(worker.runId, server.id);
    await server.result;
    assert.deepEqual(await worker.result, { reason: "run ended" });

    const other = await serve(task("aborted", file, 6), {
      out: out("aborted"),
      listen: "127.0.0.1:0",
      dashboard: false,
    });
    await other.abort();
    await assert.rejects(other.result, { code: "interrupted" });
    await assert.rejects(join(other.joinAddress, { ...options, waitSeconds: 1 }), { code: "unavailable" });
  });
});
