import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLayout, layoutToJson } from "../shared/layout/index.js";
import { createLog } from "../shared/log.js";
import { coordinatorService, createHandlers, createServer } from "../shared/wire/index.js";
import { startShard } from "./start-shard.js";

describe("startShard()", { timeout: 60_000 }, () => {
  it("refuses a welcome with a wire format that it does not know", async (test) => {
    const layout = createLayout([{ name: "kernel", shape: [8], kind: "parameter", decay: true }]);
    const { bidi } = createHandlers(() => {});
    const server = createServer();
    server.addService(coordinatorService, {
      Serve: bidi((call) => {
        const welcome = { runId: "a run", layoutJson: layoutToJson(layout), endChunk: 1, wire: "float16" };
        call.write({ welcome });
      }),
    });
    const coordinator = await server.listen({ host: "127.0.0.1", port: 0 });
    test.after(() => server.shutdown(0));
    const started = startShard({
      ...{ index: 1, coordinator, token: "a token", out: "unused", listen: { host: "127.0.0.1", port: 0 } },
      log: createLog({ level: "silent", pretty: false }),
    });
    await assert.rejects(started, {
      code: "damaged",
      message: `The coordinator's welcome has the wire format "float16"; there are float32 and bfloat16.`,
    });
  });
});
