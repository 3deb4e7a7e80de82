import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../shared/log.js";
import { readEnvironment, withLogOptions } from "./environment.js";
import { relayRecord } from "./log.js";

describe("what is logged", () => {
  it("is decided by the command line before the environment", () => {
    const environment = readEnvironment({ ISOBATCH_LOG: "warn", ISOBATCH_LOG_FORMAT: "pretty" });
    const { logLevel, logFormat } = withLogOptions(environment, { logLevel: "debug" });
    assert.deepEqual([logLevel, logFormat], ["debug", "pretty"]);
    assert.throws(() => readEnvironment({ ISOBATCH_LOG_FORMAT: "xml" }), {
      message: 'ISOBATCH_LOG_FORMAT is "xml"; it must be one of json, pretty.',
    });
  });

  it("of a child process keeps its fields, each of them once", () => {
    const lines: string[] = [];
    const log = createLog({ level: "info", pretty: false, write: (line) => lines.push(line) });
    const fields = { run: "r", worker: "host-2", step: 3, lease: 7 };
    relayRecord(log, { level: "info", at: "", source: "worker 2", message: "joined", fields });
    assert.match(
      lines[0],
      /^\{"level":30,"time":\d+,"run":"r","worker":"host-2","step":3,"lease":7,"msg":"worker 2: joined"\}\n$/,
    );
  });
});
