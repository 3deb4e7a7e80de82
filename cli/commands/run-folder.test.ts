import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { hostname, tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { serverAddress } from "./run-folder.js";

describe("serverAddress()", () => {
  let folder: string;
  before(() => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-run-folder-"));
  });
  after(() => rmSync(folder, { recursive: true }));

  const lock = (fields: object): void => {
    const holder = { host: hostname(), processId: process.pid, startTicks: null, since: "2026-01-01T00:00:00Z" };
    writeFileSync(join(folder, "lock.json"), JSON.stringify({ ...holder, ...fields }));
  };
  const refuses = (message: RegExp): void =>
    assert.throws(() => serverAddress(folder), { code: "unavailable", message });

  it("is where the living server says it listens", () => {
    refuses(/^No server runs on .*; isobatch run or server starts one there\.$/);
    lock({});
    refuses(/^The server of .* does not listen yet; try again\.$/);
    lock({ address: "[::1]:40123" });
    assert.deepEqual(serverAddress(folder), { host: "::1", port: 40_123 });
  });

  it("is not that of a server that died or that runs on another machine", () => {
    lock({ address: "127.0.0.1:1", processId: 2 ** 22 + 1 });
    refuses(/^No server runs on /);
    lock({ address: "127.0.0.1:1", host: "elsewhere" });
    refuses(/^The server of .* runs on elsewhere: give its HOST:PORT\.$/);
  });
});
