import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { ComputedLease } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { NearAnswer } from "../shared/wire/index.js";
import type { StepWork, WorkerEvent } from "./core/index.js";
import { leaseOf } from "./fake-server.test.helper.js";
import type { NearSession } from "./near/index.js";
import { createPushes, type PushesOptions } from "./pushes.js";

const WORK: StepWork = { id: 7, kind: "step", lease: leaseOf(0, 0, 1) };
const answer = (fields: Partial<NearAnswer>): NearAnswer => ({
  lease: 0,
  accepted: 0,
  dropped: 0,
  lent: false,
  refused: "",
  ...fields,
});

/** The event of a push to a shard of this machine that answers like this. */
async function pushed(answered: () => Promise<NearAnswer>, lend: boolean): Promise<WorkerEvent> {
  const session: Pick<NearSession, "canPush" | "push" | "close"> = {
    canPush: () => true,
    push: answered,
    async close() {},
  };
  return new Promise((dispatch) => {
    const options: Partial<PushesOptions> = {
      workerId: "w1",
      links: [],
      near: { session: () => session as NearSession },
      results: new Map([[WORK.id, { nodes: [], losses: new Float64Array(1) } as unknown as ComputedLease]]),
      dispatch,
    };
    createPushes(options as PushesOptions).push(WORK, 0, 0, lend);
  });
}

describe("createPushes()", () => {
  const push = { work: 7, shard: 0 };

  it("says whether a shard of this machine keeps reading the slots", async () => {
    for (const lent of [false, true]) {
      const event = await pushed(async () => answer({ accepted: 1, lent }), true);
      assert.deepEqual(event, { kind: "pushed", ...push, lent });
    }
  });

  it("says that it may when it has not answered, even if it was not to, and that it does not once it has said so", async () => {
    const gone = new IsobatchError("unavailable", "The line is dead.");
    for (const lend of [false, true]) {
      const event = await pushed(() => Promise.reject(gone), lend);
      const failure = { reason: "The line is dead.", transient: true };
      assert.deepEqual(event, { kind: "pushFailed", ...push, failure, broken: true, lent: true });
    }
    const event = await pushed(async () => answer({ refused: "The term is over." }), true);
    const failure = { reason: "The term is over.", transient: false };
    assert.deepEqual(event, { kind: "pushFailed", ...push, failure, broken: false, lent: false });
  });
});
