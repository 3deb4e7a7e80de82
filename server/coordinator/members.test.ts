import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { MessageWriter, WorkerCommand } from "../../shared/wire/index.js";
import { createMembers } from "./members.js";

describe("createMembers()", () => {
  it("knows whether a process of a host has computed anything that was committed", () => {
    const members = createMembers();
    const numerics = { backend: "wasm", version: "1", architecture: "none", flags: "" };
    const request = { host: "gpu server", processId: 7, device: "", computeThreads: 1, numerics };
    const join = (): void => {
      const id = members.join(request, "join");
      members.attach(id, {} as MessageWriter<WorkerCommand>, "join").microBatches = members.all().length - 1;
    };
    join();
    assert.equal(members.hasWorked("gpu server", 7), false);
    // The same process under another name, after its stream broke.
    join();
    assert.equal(members.hasWorked("gpu server", 7), true);
    assert.equal(members.hasWorked("gpu server", 8), false);
    assert.equal(members.hasWorked("another", 7), false);
  });
});
