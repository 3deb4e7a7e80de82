import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Lease } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { WireFormat } from "../shared/layout/index.js";
import { createComputing } from "./computing.js";
import type { StepLease, WorkerEvent } from "./core/index.js";
import type { Engine } from "./engine.js";

const COMPUTED = { nodes: [], losses: new Float64Array(), computeMs: 0, samplesMs: 0 };

/** Leaves [lo, lo + leaves) of a step of 16 micro-batches. */
const leaseOf = (step: number, lo: number, leaves: number): StepLease =>
  ({ lo, hi: lo + leaves, microBatches: 16, firstMicroBatch: 16 * step, lease: 1, step, term: 1 }) as StepLease;

/** A worker's computing, whose engine does what is given. */
function open(
  engine: Partial<Engine>,
  dispatch: (event: WorkerEvent) => void,
  wire: WireFormat = "float32",
  mapped = false,
) {
  const near = { fetch: () => () => [], mapped };
  const never = () => Promise.reject(new Error("not asked for"));
  const samples = { microBatch: never, evaluationBatch: never };
  const options = {
    engine: engine as Engine,
    near,
    samples,
    wire,
    microBatchesTotal: 100,
    results: new Map(),
    dispatch,
  };
  return createComputing(options);
}

/** The result of a lease of this many leaves. */
function outcomeOf(compute: Engine["compute"], leaves = 1, wire: WireFormat = "float32", mapped = false) {
  return new Promise<WorkerEvent>((dispatch) => {
    const { compute: ask } = open({ compute }, dispatch, wire, mapped);
    ask({ id: 7, kind: "step", lease: leaseOf(0, 4, leaves) });
  });
}

/** Whether the leaves of a lease of this many are computed apart. */
async function areApart(leaves: number, wire: WireFormat, mapped: boolean): Promise<boolean> {
  const leases: Lease[] = [];
  const compute: Engine["compute"] = async (lease) => {
    leases.push(lease);
    return COMPUTED;
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
  it("is given back, but ends the worker if its gradient would have other bits than other workers'", async () => {
    for (const [code, kind] of [
      ["exhausted", "workFailed"],
      ["failed", "failed"],
    ] as const) {
      const error = new IsobatchError(code, "No.");
      const reported = { reason: "No.", transient: false };
      const event = await outcomeOf(() => Promise.reject(error));
      assert.equal(event.kind, kind);
      if (event.kind === "failed") assert.deepEqual(event, { kind, error, reported });
    }
  });
});

describe("the first samples of the next lease", () => {
  /** The first micro-batches of the leases that are prepared while these are computed in order. */
  async function prepared(leases: readonly StepLease[]): Promise<number[]> {
    const found: number[] = [];
    const engine: Partial<Engine> = {
      compute: async () => COMPUTED,
      prepare: ({ lo, firstMicroBatch }) => void found.push(firstMicroBatch + lo),
    };
    let computed: (event: WorkerEvent) => void = () => {};
    const computing = open(engine, (event) => computed(event));
    for (const [id, lease] of leases.entries()) {
      const ended = new Promise<WorkerEvent>((resolve) => {
        computed = resolve;
      });
      computing.compute({ id, kind: "step", lease });
      await ended;
      await new Promise(setImmediate);
    }
    await computing.close();
    return found;
  }

  it("are decoded as soon as a lease is computed, where shares are alike, up to the end of the run", async () => {
    const alike = [0, 1, 2, 3, 4, 5].map((step) => leaseOf(step, 2, 3));
    // The share of step 6 ends with micro-batch 100, behind the run's last; one leaf less is in the run.
    assert.deepEqual(await prepared(alike), [34, 50, 66, 82]);
    const shorter = [4, 5].map((step) => leaseOf(step, 2, 2));
    assert.deepEqual(await prepared(shorter), [98]);
    assert.deepEqual(await prepared([leaseOf(0, 2, 3), leaseOf(1, 0, 3), leaseOf(2, 0, 2), leaseOf(4, 0, 2)]), []);
  });

  it("wait where something else is computed at once", async () => {
    const found: number[] = [];
    const engine: Partial<Engine> = {
      compute: ({ firstMicroBatch }) => (firstMicroBatch < 32 ? Promise.resolve(COMPUTED) : new Promise(() => {})),
      prepare: ({ firstMicroBatch }) => void found.push(firstMicroBatch),
    };
    let step = 0;
    const computing = open(engine, () => {
      step++;
      computing.compute({ id: step, kind: "step", lease: leaseOf(step, 0, 1) });
    });
    computing.compute({ id: 0, kind: "step", lease: leaseOf(0, 0, 1) });
    while (step < 2) await new Promise(setImmediate);
    await new Promise(setImmediate);
    assert.deepEqual(found, []);
  });
});
