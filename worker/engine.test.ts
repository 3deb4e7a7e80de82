import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { settings } from "../backends/settings.test.helper.js";
import { batchOf } from "../compute/gradients/open-gradients.test.helper.js";
import { ThreadDeathError } from "../compute/index.js";
import { createEngine } from "./engine.js";
import { leaseOf } from "./fake-server.test.helper.js";
import type { Joined } from "./join.js";
import { BACKEND, serve } from "./worker-at-work.test.helper.js";

describe("createEngine()", { timeout: 60_000 }, () => {
  it("computes nothing on threads that have not loaded weights, as after others have died", async (test) => {
    const threads: { terminate(): Promise<number> }[] = [];
    const collect = (thread: { terminate(): Promise<number> }) => void threads.push(thread);
    process.on("worker", collect);
    test.after(() => process.off("worker", collect));
    const { join, layout } = await serve(test);
    const engine = await createEngine({
      joined: { ...join, layout, identity: "" } as unknown as Joined,
      backend: { name: BACKEND, numerics: { backend: BACKEND, version: "", architecture: "", flags: "" }, device: "" },
      backendSettings: settings,
      computeThreads: 1,
      notice: () => {},
      warn: () => {},
      data: undefined,
      flip: undefined,
      patienceMs: undefined,
    });
    test.after(() => engine.close());
    const compute = () => engine.compute(leaseOf(0, 0, 1), async (number) => batchOf(number));
    const refused = (error: unknown) => error instanceof ThreadDeathError && /hold no weights/.test(error.message);
    await assert.rejects(compute(), refused);
    await engine.load();
    await compute();

    await threads.at(-1)!.terminate();
    // Asked in one breath, both meet the same death; what is asked later meets new threads.
    const [loading, computing] = await Promise.allSettled([engine.load(), compute()]);
    for (const { status } of [loading, computing]) assert.equal(status, "rejected");
    await assert.rejects(compute(), refused);
    await engine.load();
    await compute();
  });
});
