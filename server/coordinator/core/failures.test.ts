import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coordinator, kinds } from "./coordinator.test.helper.js";
import { reasonKey } from "./failures.js";
import type { CoordinatorEffect, RunOutcome } from "./messages.js";

const REASON = "indices[3] = 9 is not in [0, 4)";

const outcomeOf = ({ core }: Pick<ReturnType<typeof coordinator>, "core">): RunOutcome | undefined =>
  core.state.outcome;

/** A run of κ = 4 on these workers, each on its own machine, and what the tests do with it. */
function runOn(...workers: string[]) {
  const run = coordinator();
  run.restore();
  for (const worker of workers) run.worker(worker);
  const { send, core } = run;
  /** The worker gives back what it has. */
  const fail = (worker: string, reason = REASON, transient = false): CoordinatorEffect[] => {
    const [lease] = core.state.workers.get(worker)?.running ?? assert.fail(`${worker} has no lease`);
    return send({ kind: "leaseFailed", worker, lease, microBatch: undefined, nonFinite: false, reason, transient });
  };
  const failTimes = (times: number, worker: string): void => {
    for (let i = 0; i < times; i++) fail(worker);
  };
  return { ...run, fail, failTimes, outcome: () => core.state.outcome };
}

describe("an error that every worker meets", () => {
  it("ends the run when the only worker meets it five times in a row", () => {
    const { fail, failTimes, outcome } = runOn("a");
    failTimes(4, "a");
    assert.equal(outcome(), undefined);
    const effects = fail("a", "indices[17] = −1 is not in [0, 4).");
    const expected = { ok: false, code: "failed", times: 5, workers: ["a"] };
    assert.deepEqual(outcome(), { ...expected, reason: "indices[17] = −1 is not in [0, 4)" });
    assert.ok(!kinds(effects).includes("drain"), "nobody is sent away from a run that is over");
  });

  it("ends it on three machines at once, and on fewer when it has come five times", () => {
    const three = runOn("a", "b", "c");
    for (const worker of ["a", "b", "c"]) three.fail(worker);
    assert.deepEqual(three.outcome(), {
      ok: false,
      code: "failed",
      reason: REASON,
      times: 3,
      workers: ["a", "b", "c"],
    });
    const two = runOn("a", "b");
    two.failTimes(4, "a");
    assert.equal(two.outcome(), undefined, "b may fare better");
    two.fail("b");
    assert.equal(two.outcome()?.ok, false);
  });

  it("does not end a run that somebody else carries on, and sends its worker away with the reason", () => {
    const { fail, failTimes, cover, outcome } = runOn("a", "b");
    failTimes(4, "a");
    const drain = fail("a").find(({ kind }) => kind === "drain");
    assert.deepEqual(drain, { kind: "drain", worker: "a", reason: `it failed 5 times in a row: ${REASON}.` });
    cover(2, 4);
    fail("b");
    assert.equal(outcome(), undefined, "since then leaves were covered");
  });

  it("ends it when the last worker that had not failed fails too, or leaves", () => {
    const { failTimes, send, outcome } = runOn("a", "b");
    failTimes(5, "a");
    send({ kind: "workerLost", worker: "a", reason: "it has left" });
    assert.equal(outcome(), undefined);
    send({ kind: "workerLost", worker: "b", reason: "its stream broke" });
    assert.equal(outcome()?.ok, false);
  });

  it("is none where only a connection is to blame, however often", () => {
    const { fail, outcome, core } = runOn("a");
    for (let i = 0; i < 5; i++) fail("a", "Cannot reach shard 1.", true);
    assert.equal(outcome(), undefined);
    assert.equal(core.state.workers.get("a")?.draining, true, "it may fare better with a new connection");
  });

  it("is none where the reasons differ, or anything is computed in between", () => {
    const differing = runOn("a", "b", "c");
    for (const [worker, reason] of Object.entries({ a: "no memory", b: "no disk", c: "no kernel" })) {
      differing.fail(worker, reason);
    }
    assert.equal(differing.outcome(), undefined);
    const moving = runOn("a");
    moving.failTimes(4, "a");
    moving.cover(0, 1);
    moving.failTimes(4, "a");
    assert.equal(moving.outcome(), undefined);
  });

  it("counts in evaluations, and of workers that could not even start", () => {
    const run = coordinator({ evaluationBatches: 2, evaluateEvery: 100 });
    run.restore();
    for (let i = 1; i <= 4; i++) {
      const worker = `host-${i}`;
      run.send({ kind: "workerAttached", worker, machine: "host" });
      run.send({ kind: "workerFailed", worker, reason: "The model can't be built on host." });
      run.send({ kind: "workerLost", worker, reason: "it has left" });
    }
    assert.equal(outcomeOf(run), undefined, "four times, on one machine");
    run.worker("other-5");
    run.send({
      kind: "evaluationFailed",
      worker: "other-5",
      version: 0,
      reason: "The model can't be built on other-5.",
    });
    const outcome = outcomeOf(run);
    assert.ok(outcome?.ok === false && outcome.code === "failed");
    assert.deepEqual([outcome.times, outcome.workers.length], [5, 5]);
  });
});

describe("reasonKey()", () => {
  it("is the same for what differs in numbers, addresses, paths and the machine's name", () => {
    const key = reasonKey(
      "Compute thread 3 on gpu-1 crashed at 0x7fA0 in /home/ada/isobatch/dist/pool.js:12:3.",
      "gpu-1",
    );
    assert.equal(reasonKey("compute thread 11 on vm crashed at 0x12 in C:\\work\\pool.js:12:3.", "vm"), key);
    assert.notEqual(reasonKey("Compute thread 3 on gpu-1 ended.", "gpu-1"), key);
  });
});
