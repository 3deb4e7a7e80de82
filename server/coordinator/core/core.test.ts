import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { coordinator, kinds, leases, start } from "./coordinator.test.helper.js";
import type { CoordinatorEvent } from "./messages.js";

describe("a coordinator's beginning", () => {
  it("saves the term before anyone receives it", () => {
    const { send } = coordinator();
    send({ kind: "workerAttached", worker: "a" });
    send({ kind: "shardAttached", shard: 0, checkpoints: [0] });
    assert.deepEqual(kinds(send({ kind: "shardAttached", shard: 1, checkpoints: [0] })), ["saveTerm"]);
    assert.deepEqual(kinds(send({ kind: "termSaved", term: 1 })), ["restore", "restore", "termOpened"]);
  });

  it("goes to the newest checkpoint that all shards have", () => {
    const { send } = coordinator({ stepsBefore: 4 });
    send({ kind: "shardAttached", shard: 0, checkpoints: [0, 2, 4] });
    send({ kind: "shardAttached", shard: 1, checkpoints: [0, 2] });
    const restores = send({ kind: "termSaved", term: 1 }).filter((effect) => effect.kind === "restore");
    assert.deepEqual(
      restores.map(({ step }) => step),
      [2, 2],
    );
  });

  for (const [name, stepsBefore, expected] of [
    ["whose steps the record has, when a power cut has taken the newest lines", 3, 2],
    ["there is, when the record is gone", 0, 4],
  ] as const) {
    it(`goes to the newest one ${name}`, () => {
      const { send } = coordinator({ stepsBefore });
      for (const shard of [0, 1]) send({ kind: "shardAttached", shard, checkpoints: [2, 4] });
      const restores = send({ kind: "termSaved", term: 1 }).filter((effect) => effect.kind === "restore");
      assert.deepEqual(
        restores.map(({ step }) => step),
        [expected, expected],
      );
    });
  }

  it("has newer checkpoints than the one it goes to deleted: their steps may be taken again at another κ", () => {
    const { send, both, core } = coordinator({ stepsBefore: 3 });
    for (const shard of [0, 1]) send({ kind: "shardAttached", shard, checkpoints: [2, 4] });
    send({ kind: "termSaved", term: 1 });
    const mark = { step: 2, microBatches: 8, c1: 0.2, c2: 0.2 };
    const kept = both((shard) => ({ kind: "restored", shard, term: 1, mark })).filter(({ kind }) => kind === "keep");
    assert.deepEqual(
      kept,
      [0, 1].map((shard) => ({ kind: "keep", shard, steps: [2] })),
    );
    for (const { checkpoints } of core.state.shards) assert.deepEqual([...checkpoints], [2]);
  });

  it("takes no checkpoint of a history that it has left, when a shard comes back with it", () => {
    const { send, restore, both, core, worker, commit } = coordinator();
    restore();
    worker("a");
    for (let step = 0; step < 4; step++) commit();
    both((shard) => ({ kind: "checkpointed", shard, step: 2 }));
    // The checkpoint of step 4 is on one shard's disk when the other is lost.
    send({ kind: "shardLost", shard: 1, reason: "killed" });
    send({ kind: "shardAttached", shard: 1, checkpoints: [2] });
    send({ kind: "checkpointed", shard: 0, step: 4 });
    send({ kind: "termSaved", term: core.state.term });
    const mark = { step: 2, microBatches: 8, c1: 0.2, c2: 0.2 };
    both((shard) => ({ kind: "restored", shard, term: core.state.term, mark }));
    send({ kind: "shardLost", shard: 1, reason: "killed" });
    send({ kind: "shardAttached", shard: 1, checkpoints: [2, 4] });
    const restores = send({ kind: "termSaved", term: core.state.term }).filter((effect) => effect.kind === "restore");
    assert.deepEqual(
      restores.map(({ step }) => step),
      [2, 2],
    );
  });

  it("takes the one before when that is damaged, and ends when none is left", () => {
    const { core, send } = coordinator({ stepsBefore: 2 });
    send({ kind: "shardAttached", shard: 0, checkpoints: [0, 2] });
    send({ kind: "shardAttached", shard: 1, checkpoints: [0, 2] });
    send({ kind: "termSaved", term: 1 });
    const reason = "its checksum is wrong";
    assert.ok(kinds(send({ kind: "restoreFailed", shard: 1, term: 1, step: 2, reason })).includes("saveTerm"));
    send({ kind: "termSaved", term: 2 });
    send({ kind: "restoreFailed", shard: 0, term: 2, step: 0, reason });
    assert.deepEqual(core.state.outcome?.ok === false && core.state.outcome.code, "damaged");
  });
});

describe("a coordinator's leases", () => {
  it("wait for the awaited workers, but not forever", () => {
    const { restore, worker, wait } = coordinator({ workersAwaited: 2, awaitMs: 1_000 });
    restore();
    assert.deepEqual(leases(worker("a")), []);
    assert.deepEqual(leases(wait(1_000)), ["a [0, 4)"]);
  });

  it("are shared between the workers that are ready", () => {
    const { restore, worker } = coordinator({ workersAwaited: 2 });
    restore();
    worker("a");
    assert.deepEqual(leases(worker("b")), ["a [0, 2)", "b [2, 4)"]);
  });

  it("are not done on the worker's word, only when every shard covers them", () => {
    const { core, restore, worker, send } = coordinator();
    restore();
    worker("a");
    send({ kind: "leaseComputed", worker: "a", lease: 1, computeMs: 5 });
    send({ kind: "covered", shard: 0, term: 1, step: 0, lo: 0, hi: 4 });
    assert.equal(core.state.board?.doneCount, 0);
    send({ kind: "covered", shard: 1, term: 1, step: 0, lo: 0, hi: 4 });
    assert.equal(core.state.board?.doneCount, 4);
  });

  it("of a lost worker go to another one, less what is covered", () => {
    const { restore, worker, cover, send } = coordinator({ workersAwaited: 2 });
    restore();
    worker("a");
    worker("b");
    cover(0, 1);
    send({ kind: "leaseComputed", worker: "b", lease: 2, computeMs: 5 });
    assert.deepEqual(leases(send({ kind: "workerLost", worker: "a", reason: "killed" })), ["b [1, 2)"]);
  });

  it("of a silent worker go to another one, and the silent one gets none until it speaks", () => {
    const { core, restore, worker, cover, commit, send, wait } = coordinator({ workersAwaited: 2 });
    restore();
    worker("a");
    worker("b");
    cover(2, 4);
    wait(2_900);
    send({ kind: "heartbeat", worker: "b" });
    assert.deepEqual(leases(wait(200)), ["b [0, 2)"]);
    cover(0, 2);
    assert.deepEqual(leases(commit()), ["b [0, 4)"]);
    send({ kind: "heartbeat", worker: "a" });
    assert.equal(core.state.workers.get("a")?.silent, false);
  });

  it("that are overdue go to an idle worker as well", () => {
    const { restore, worker, cover, send, wait } = coordinator({ workersAwaited: 2 });
    restore();
    worker("a");
    worker("b");
    cover(2, 4);
    let again: string[] = [];
    for (let ms = 0; ms < 31_000 && again.length === 0; ms += 1_000) {
      send({ kind: "heartbeat", worker: "a" });
      send({ kind: "heartbeat", worker: "b" });
      again = leases(wait(1_000));
    }
    assert.deepEqual(again, ["b [0, 2)"]);
  });

  it("that came out non-finite are computed by another worker, and end the run the second time", () => {
    const { core, restore, worker, cover, send } = coordinator({ workersAwaited: 2 });
    restore();
    worker("a");
    worker("b");
    cover(2, 4);
    const failed = (name: string, lease: number): CoordinatorEvent => ({
      kind: "leaseFailed",
      worker: name,
      lease,
      microBatch: 1,
      nonFinite: true,
      reason: "the loss is NaN",
    });
    assert.deepEqual(leases(send(failed("a", 1))), ["b [0, 2)"]);
    send(failed("b", 3));
    const { outcome } = core.state;
    assert.ok(outcome?.ok === false && outcome.code === "diverged" && outcome.microBatch === 1);
  });
});

describe("a coordinator's boundaries", () => {
  it("hand the weights c1, c2 of the step before to the next one", () => {
    const { restore, worker, cover, commit } = coordinator();
    restore();
    worker("a");
    cover(0, 4);
    const plan = commit().find((effect) => effect.kind === "plan");
    assert.ok(plan?.kind === "plan");
    assert.equal(plan.plan.step, 1);
    assert.equal(plan.plan.coefficients.c1, 0.2);
  });

  it("order a checkpoint before the step that would change what it holds", () => {
    const { restore, worker, cover, commit } = coordinator();
    restore();
    worker("a");
    cover(0, 4);
    commit();
    cover(0, 4);
    const order = kinds(commit()).filter((kind) => kind === "checkpoint" || kind === "plan");
    assert.deepEqual(order, ["checkpoint", "checkpoint", "plan", "plan"]);
  });

  it("count a checkpoint only when every shard has written it, and keep the newest common ones", () => {
    const { restore, worker, cover, commit, send } = coordinator();
    restore();
    worker("a");
    cover(0, 4);
    commit();
    cover(0, 4);
    commit();
    assert.deepEqual(send({ kind: "checkpointed", shard: 0, step: 2 }), []);
    const effects = send({ kind: "checkpointed", shard: 1, step: 2 });
    assert.deepEqual(kinds(effects), ["checkpointWritten", "keep", "keep"]);
    assert.deepEqual(effects[1].kind === "keep" && effects[1].steps, [2, 0]);
  });

  it("end the run with an error when a checkpoint can't be written", () => {
    const { core, restore, send } = coordinator();
    restore();
    send({ kind: "checkpointed", shard: 0, step: 2, error: "no space left" });
    assert.ok(core.state.outcome?.ok === false && core.state.outcome.code === "exhausted");
  });

  it("wait for the whole evaluation before the step is opened, and add it in the order of the batches", () => {
    const { core, restore, worker, send } = coordinator({ evaluationBatches: 2 });
    restore();
    worker("a");
    assert.equal(core.state.phase, "evaluating");
    const evaluated = (firstBatch: number, loss: number): CoordinatorEvent => ({
      kind: "evaluated",
      worker: "a",
      term: 1,
      version: 0,
      firstBatch,
      lossSums: [loss],
      correct: [1],
    });
    assert.ok(!kinds(send(evaluated(1, 0.1))).includes("plan"));
    send(evaluated(1, 99));
    const effects = send(evaluated(0, 0.2));
    const evaluation = effects.find((effect) => effect.kind === "evaluation");
    assert.ok(evaluation?.kind === "evaluation");
    assert.equal(evaluation.lossSum, 0.2 + 0.1);
    assert.ok(kinds(effects).includes("plan"));
  });

  it("stop at the next one, with a checkpoint, on request", () => {
    const { core, restore, worker, cover, commit, both, send } = coordinator();
    restore();
    worker("a");
    send({ kind: "stop" });
    cover(0, 4);
    assert.ok(kinds(commit()).includes("checkpoint"));
    both((shard) => ({ kind: "checkpointed", shard, step: 1 }));
    assert.ok(core.state.outcome?.ok === true && core.state.outcome.reason === "stopped");
    assert.equal(core.state.mark.step, 1);
  });

  it("are not waited for when a run is to stop and nobody is left to reach them", () => {
    const { core, restore, worker, send } = coordinator();
    restore();
    worker("a");
    send({ kind: "stop" });
    send({ kind: "workerLost", worker: "a", reason: "it has left" });
    assert.ok(core.state.outcome?.ok === true && core.state.outcome.reason === "stopped");
  });

  it("go back to the newest common checkpoint when a shard is lost in mid-step", () => {
    const { core, restore, worker, cover, commit, both, send } = coordinator();
    restore();
    worker("a");
    cover(0, 4);
    commit();
    send({ kind: "shardLost", shard: 1, reason: "killed" });
    assert.equal(core.state.phase, "gathering");
    send({ kind: "shardAttached", shard: 1, checkpoints: [0] });
    assert.equal(core.state.term, 2);
    send({ kind: "termSaved", term: 2 });
    const effects = both((shard) => ({ kind: "restored", shard, term: 2, mark: start }));
    const back = effects.find((effect) => effect.kind === "rolledBack");
    assert.ok(back?.kind === "rolledBack");
    assert.equal(back.recomputed, 1);
  });
});
