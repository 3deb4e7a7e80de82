import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createRestarts } from "./restarts.js";

describe("createRestarts()", () => {
  it("waits longer after each death in a row, and gives up after the sixth", () => {
    const restarts = createRestarts();
    const delays = Array.from({ length: 6 }, () => restarts.afterDeath(false));
    assert.deepEqual(delays, [200, 400, 800, 1600, 3200, undefined]);
  });

  it("starts a new row with a process that had worked", () => {
    const restarts = createRestarts();
    for (let i = 0; i < 5; i++) restarts.afterDeath(false);
    assert.equal(restarts.afterDeath(true), 200);
    assert.equal(restarts.afterDeath(false), 400);
  });
});
