import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import type { WireFormat } from "../shared/layout/index.js";
import type { Lease } from "./compute/index.js";
import { createComputing } from "./computing.js";
import type { StepLease, WorkerEvent } from "./core/index.js";
import type { Engine } from "./engine.js";

/** What comes of a lease of so many leaves. */
function outcomeOf(compute: Engine["compute"], leaves = 1, wire: WireFormat = "float32", mapped = false) {
  const engine: Pick<Engine, "compute"> = { compute };
  return new Promise<WorkerEvent>((dispatch) => {
    const near = { fetch: () => () => [], mapped };
    const never = () => Promise.reject(new Error("not asked for"));
    const samples = { microBatch: never, evaluationBatch: never };
    const options = { engine: engine as Engine, near, samples, wire, results: new Map(), dispatch };
    const lease = {
      lo: 4,
      hi: 4 + leaves,
      microBatches: 16,
      firstMicroBatch: 0,
      lease: 1,
      step: 0,
      epoch: 1,
    } as StepLease;
    createComputing(options).compute({ id: 7, kind: "step", lease });
  });
}

/** Whether the leaves of a lease of so many are computed apart. */
async function areApart(leaves: number, wire: WireFormat, mapped: boolean): Promise<boolean> {
  const leases: Lease[] = [];
  const compute: Engine["compute"] = async (lease) => {
    leases.push(lease);
    return { nodes: [], losses: new Float64Array(), computeMs: 0, samplesMs: 0 };
  };
  assert.equal((await outcomeOf(compute, leaves, wire, mapped)).kind, "computed");
  return leases[0].apart === true;
}

describe("a lease's leaves", () => {
  it("stay apart if they are few, and no more to read or to send than their sums", async () => {
    for (const [leaves, wire, mapped, expected] of [
      [2, "float32", false, false],
      [2, "float32", true, true],
      [3, "float32", true, true],
      [4, "float32", true, false],
      [3, "bfloat16", false, true],
      [4, "bfloat16", true, false],
    ] as const) {
      assert.equal(await areApart(leaves, wire, mapped), expected, `${leaves} in ${wire}, mapped: ${mapped}`);
    }
  });
});

describe("a lease that can't be computed", () => {
  it("is given back, but ends the worker where its gradient would have other bits than other workers'", async () => {
    for (const [code, kind] of [
      ["exhausted", "workFailed"],
      ["failed", "failed"],
    ] as const) {
      const error = new IsobatchError(code, "No.");
      const told = { reason: "No.", transient: false };
      const event = await outcomeOf(() => Promise.reject(error));
      assert.equal(event.kind, kind);
      if (event.kind === "failed") assert.deepEqual(event, { kind, error, told });
    }
  });
});
