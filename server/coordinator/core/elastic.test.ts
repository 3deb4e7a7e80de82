import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { KappaFact } from "../../../shared/steps/index.js";
import { coordinator, kinds, start } from "./coordinator.test.helper.js";
import { kappaByNoise } from "./elastic.js";
import type { CoordinatorEffect } from "./messages.js";

const PER_WORKER = { microBatchesPerStep: { perWorker: 2, min: 1, max: 6 } };

/** κ of the step that these effects open; undefined if they open none. */
const planned = (effects: readonly CoordinatorEffect[]): number | undefined =>
  effects.flatMap((effect) => (effect.kind === "plan" ? [effect.plan.microBatches] : []))[0];

const facts = (effects: readonly CoordinatorEffect[]): KappaFact[] =>
  effects.flatMap((effect) => (effect.kind === "saveKappa" ? effect.facts : []));

/** An elastic coordinator whose disk answers at once. */
function elastic(options: Parameters<typeof coordinator>[0] = {}) {
  const it = coordinator({ ...PER_WORKER, checkpointEvery: Number.POSITIVE_INFINITY, ...options });
  let saved = options.kappaRecord?.length ?? 0;
  const save = (effects: CoordinatorEffect[]): CoordinatorEffect[] => {
    const added = facts(effects).length;
    if (added === 0) return effects;
    saved += added;
    return [...effects, ...it.send({ kind: "kappaSaved", facts: saved })];
  };
  return {
    ...it,
    save,
    /** The whole open step, and what its commit leads to. */
    step: () => {
      it.cover(0, it.core.state.microBatches);
      return save(it.commit());
    },
  };
}

describe("κ that follows the workers", () => {
  it("waits for the first ones, is durable before the step is opened, and says why", () => {
    const { restore, worker, send } = elastic({ workersAwaited: 2 });
    assert.ok(!kinds(restore()).includes("plan"));
    worker("a");
    const decided = worker("b");
    assert.deepEqual(facts(decided), [{ step: 0, firstMicroBatch: 0, microBatches: 4, reason: "2 workers" }]);
    assert.ok(!kinds(decided).includes("plan"));
    const opened = send({ kind: "kappaSaved", facts: 1 });
    assert.deepEqual(kinds(opened), ["kappaChanged", "plan", "plan", "lease", "lease"]);
    assert.equal(planned(opened), 4);
  });

  it("changes only at boundaries, between its minimum and its maximum", () => {
    const { restore, worker, send, save, step } = elastic();
    restore();
    save(worker("a"));
    worker("b");
    const grown = step();
    assert.equal(planned(grown), 4);
    assert.equal(facts(grown)[0].reason, "worker b joined: 2 workers");
    assert.equal(facts(grown)[0].firstMicroBatch, 2);
    for (const name of ["c", "d", "e"]) worker(name);
    const most = step();
    assert.equal(planned(most), 6);
    assert.equal(facts(most)[0].reason, "3 workers joined: 5 workers");
    assert.deepEqual(facts(step()), []);
    for (const name of ["b", "c", "d"]) send({ kind: "workerLost", worker: name, reason: "killed" });
    send({ kind: "workerLeaving", worker: "e" });
    const shrunk = step();
    assert.equal(planned(shrunk), 2);
    assert.equal(facts(shrunk)[0].reason, "4 workers left: 1 worker");
  });

  it("stays while nobody is there, and takes what is left at the end", () => {
    const { restore, worker, send, save, step } = elastic({ microBatchesTotal: 9 });
    restore();
    save(worker("a"));
    worker("b");
    step();
    send({ kind: "workerLost", worker: "a", reason: "killed" });
    send({ kind: "workerLost", worker: "b", reason: "killed" });
    const last = step();
    assert.equal(planned(last), 3);
    assert.deepEqual(facts(last), [
      { step: 2, firstMicroBatch: 6, microBatches: 3, reason: "the run's last micro-batches" },
    ]);
  });

  it("is the recorded one after a rollback, with other workers, up to the furthest step there was", () => {
    const { core, restore, worker, send, both, save, step } = elastic();
    restore();
    save(worker("a"));
    step();
    worker("b");
    for (let i = 0; i < 4; i++) step();
    assert.equal(core.state.mark.step, 5);
    send({ kind: "workerLost", worker: "b", reason: "killed" });
    send({ kind: "shardLost", shard: 1, reason: "killed" });
    const gathered = save(send({ kind: "shardAttached", shard: 1, checkpoints: [0] }));
    assert.deepEqual(kinds(gathered).slice(0, 2), ["saveKappa", "saveTerm"]);
    assert.deepEqual(facts(gathered), [
      { step: 4, firstMicroBatch: 12, microBatches: 4, reason: "the run rolled back from here" },
    ]);
    send({ kind: "termSaved", term: 2 });
    const taken = [planned(both((shard) => ({ kind: "restored", shard, term: 2, mark: start })))];
    for (let i = 0; i < 5; i++) taken.push(planned(step()));
    // Steps 0 and 1 of one worker, 2 to 4 of two, and only then the one that is left.
    assert.deepEqual(taken, [2, 2, 4, 4, 4, 2]);
  });

  it("is the recorded one of an earlier process too, as far as that is known to have come", () => {
    const kappaRecord = [
      { step: 0, firstMicroBatch: 0, microBatches: 6, reason: "3 workers" },
      { step: 2, firstMicroBatch: 12, microBatches: 4, reason: "worker c left: 2 workers" },
    ];
    const { both, send, worker, save, step } = elastic({ kappaRecord, stepsBefore: 4, term: 1 });
    save(both((shard) => ({ kind: "shardAttached", shard, checkpoints: [0] })));
    send({ kind: "termSaved", term: 2 });
    const taken = [planned(both((shard) => ({ kind: "restored", shard, term: 2, mark: start })))];
    worker("z");
    for (let i = 0; i < 4; i++) taken.push(planned(step()));
    assert.deepEqual(taken, [6, 6, 4, 4, 2]);
  });

  it("is the record's to the end where that is replayed, even where the task's is a number", () => {
    const kappaRecord = [
      { step: 0, firstMicroBatch: 0, microBatches: 3, reason: "" },
      { step: 1, firstMicroBatch: 3, microBatches: 5, reason: "" },
    ];
    for (const microBatchesPerStep of [8, PER_WORKER.microBatchesPerStep]) {
      const { restore, worker, step } = elastic({ microBatchesPerStep, kappaRecord, replay: true });
      const taken = [planned(restore())];
      for (const name of ["a", "b", "c"]) worker(name);
      for (let i = 0; i < 3; i++) taken.push(planned(step()));
      assert.deepEqual(taken, [3, 5, 5, 5]);
    }
  });

  it("leaves intervals in micro-batches where they are: taken at the first boundary reached", () => {
    const { core, restore, worker, send, save, step } = elastic({ checkpointEvery: 5, microBatchesTotal: 60 });
    restore();
    save(worker("a"));
    const taken: number[] = [];
    for (const name of ["", "b", "", "c", "", ""]) {
      if (name !== "") worker(name);
      const effects = step();
      if (!effects.some(({ kind }) => kind === "checkpoint")) continue;
      const { step: at, microBatches } = core.state.mark;
      taken.push(microBatches);
      for (const shard of [0, 1]) send({ kind: "checkpointed", shard, step: at });
    }
    // Boundaries at 2, 4, 8, 12, 18, 24: of these the first at or after 5, 10, 15 and 20.
    assert.deepEqual(taken, [8, 12, 18, 24]);
  });
});

describe("kappaByNoise()", () => {
  const rule = { perNoiseScale: 0.1, min: 2, max: 64 };
  const at = (scale: number, present: number, steps = 100): number =>
    kappaByNoise(rule, { trace: scale, squaredGradient: 1, weight: 1 }, 10, present, steps);

  it("goes to the factor times the noise scale over b, by at most a doubling or halving", () => {
    assert.equal(at(1_000, 8), 10);
    assert.equal(at(1_000, 4), 8);
    assert.equal(at(1_000, 30), 15);
    assert.equal(at(1e9, 40), 64);
    assert.equal(at(1, 3), 2);
  });

  it("rests while the noise scale is near, not resolved, or κ has changed a moment ago", () => {
    assert.equal(at(1_000, 9), 9);
    assert.equal(at(1_000, 12), 12);
    assert.equal(at(1_000, 4, 19), 4);
    assert.equal(kappaByNoise(rule, { trace: 1, squaredGradient: -1, weight: 1 }, 10, 7, 100), 7);
  });
});
