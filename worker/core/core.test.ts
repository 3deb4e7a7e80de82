import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { WorkerEvent } from "./messages.js";
import { attachedCore, begunBy, evaluation, kindsOf, lease, reportsOf } from "./worker.test.helper.js";

const BROKEN = { reason: "The line is dead.", transient: true };
/** A lease of the version that both shards have announced. */
const load = (version: number) => ({
  kind: "load",
  weights: { term: 1, version },
  sequences: new Map([0, 1].map((shard) => [shard, 10 * shard + version])),
});
const DIED = { reason: "Compute thread 0 ended with exit code 1.", transient: false };

describe("a worker's weights", () => {
  it("are loaded once all chunks are of one version, and held when the threads have them", () => {
    const worker = attachedCore();
    const come = (chunk: number, version: number) =>
      worker.handle({ kind: "chunk", shard: Math.floor(chunk / 2), chunk, term: 1, version });
    for (const [chunk, version] of [
      [0, 0],
      [1, 1],
      [2, 1],
      [3, 0],
    ]) {
      assert.deepEqual(kindsOf(come(chunk, version)), ["takeChunk"]);
    }
    assert.deepEqual(come(0, 1), [
      { kind: "takeChunk", shard: 0 },
      { kind: "load", weights: { term: 1, version: 1 }, sequences: new Map() },
    ]);
    assert.equal(worker.core.state.held, undefined);
    assert.deepEqual(worker.handle({ kind: "loaded" }), [
      { kind: "report", report: { kind: "weightsHeld", term: 1, version: 1 } },
    ]);
    assert.deepEqual(worker.core.state.held, { term: 1, version: 1 });
  });

  it("must not change while they are loaded: what arrives then waits, and is taken afterwards up to the next version", () => {
    const worker = attachedCore();
    worker.publish(1, 0);
    const come = (chunk: number, version: number): WorkerEvent => ({
      kind: "chunk",
      shard: Math.floor(chunk / 2),
      chunk,
      term: 1,
      version,
    });
    assert.deepEqual(worker.handle(come(0, 1)), []);
    assert.deepEqual(worker.handle(come(2, 1)), []);
    assert.deepEqual(kindsOf(worker.handle({ kind: "loaded" })), ["report", "takeChunk", "takeChunk"]);
    assert.deepEqual(kindsOf(worker.handle(come(1, 1))), ["takeChunk", "load"]);
  });

  it("that waited are not taken when their stream has ended: it may be opened again with others", () => {
    const worker = attachedCore();
    worker.publish(1, 0);
    for (const [shard, chunk] of [
      [0, 0],
      [1, 2],
    ]) {
      assert.deepEqual(worker.handle({ kind: "chunk", shard, chunk, term: 1, version: 1 }), []);
    }
    worker.handle({ kind: "weightsStreamEnded", shard: 1, reason: "It broke.", broken: true });
    const taken = worker.handle({ kind: "loaded" }).filter(({ kind }) => kind === "takeChunk");
    assert.deepEqual(taken, [{ kind: "takeChunk", shard: 0 }]);
  });

  it("that moved while they were copied are not held, and not copied again before they are announced again", () => {
    const worker = attachedCore();
    const all = (shard: number, version: number): WorkerEvent => ({
      kind: "shardWeights",
      shard,
      term: 1,
      version,
      sequence: 10 * shard + version,
    });
    assert.deepEqual(kindsOf(worker.handle(all(0, 0), all(1, 0))), ["load"]);
    assert.deepEqual(worker.handle({ kind: "loaded", moved: [1] }), []);
    assert.equal(worker.core.state.held, undefined);
    assert.deepEqual(worker.handle(all(0, 1)), []);
    assert.deepEqual(worker.handle(all(1, 1)), [load(1)]);
    // Announced already when the threads find that they have a mixture.
    worker.handle(all(0, 2), all(1, 2));
    assert.deepEqual(worker.handle({ kind: "loaded", moved: [0, 1] }), [load(2)]);
    worker.handle({ kind: "loaded" });
    assert.deepEqual(worker.core.state.held, { term: 1, version: 2 });
  });

  it("are loaded again, the same version, by threads that died while they copied", () => {
    const worker = attachedCore();
    worker.publish(1, 0);
    assert.deepEqual(kindsOf(worker.handle({ kind: "loadFailed", reason: DIED.reason })), ["load"]);
    assert.deepEqual(reportsOf(worker.handle({ kind: "loaded" })), ["weightsHeld"]);
  });

  it("are not loaded again by new threads when a shard has gone on meanwhile", () => {
    const worker = attachedCore();
    const all = (shard: number, version: number): WorkerEvent => ({
      kind: "shardWeights",
      shard,
      term: 1,
      version,
      sequence: 10 * shard + version,
    });
    worker.handle(all(0, 0), all(1, 0), all(1, 1));
    assert.deepEqual(worker.handle({ kind: "loadFailed", reason: DIED.reason }), []);
    assert.deepEqual(worker.handle(all(0, 1)), [load(1)]);
  });

  it("are asked for again after a pause that doubles until weights have been loaded", () => {
    const worker = attachedCore();
    const end = (): WorkerEvent => ({ kind: "weightsStreamEnded", shard: 1, reason: "It broke.", broken: true });
    const pauses = () =>
      worker.handle(end()).flatMap((effect) => (effect.kind === "watch" ? [[effect.shard, effect.afterMs]] : []));
    assert.deepEqual([pauses(), pauses(), pauses()].flat(), [
      [1, 100],
      [1, 200],
      [1, 400],
    ]);
    worker.hold(1, 0);
    assert.deepEqual(pauses(), [[1, 50]]);
  });
});

describe("a worker's work", () => {
  it("is started with exactly the weights it names, in the order in which it arrived", () => {
    const worker = attachedCore();
    worker.handle(lease(4, 0, 1), evaluation(1, 3), lease(3, 0, 1), lease(3, 1, 2));
    assert.deepEqual(kindsOf(worker.publish(1, 3)), ["load", "compute"]);
    worker.handle({ kind: "loaded" });
    const id = worker.core.state.computing!.work.id;
    const evaluated = worker.handle({ kind: "evaluated", work: id, lossSums: [1, 2], correct: [3, 4] });
    assert.deepEqual(evaluated[0], {
      kind: "report",
      report: { kind: "evaluated", term: 1, version: 3, firstBatch: 0, lossSums: [1, 2], correct: [3, 4] },
    });
    assert.deepEqual(begunBy(evaluated), [300]);
    assert.deepEqual(begunBy(worker.computed(7)), [301]);
    assert.deepEqual(begunBy(worker.computed(8)), []);
    assert.deepEqual(begunBy(worker.publish(1, 4)), [400]);
  });

  it("is silently dropped once newer weights have arrived: what waits, what is computed, and what comes late", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 1), lease(0, 1, 2));
    assert.deepEqual(kindsOf(worker.publish(1, 1)), ["abandon", "load"]);
    assert.deepEqual(worker.handle(lease(0, 2, 3)), []);
    const { work } = worker.core.state.computing!;
    assert.deepEqual(worker.handle({ kind: "workFailed", work: work.id, failure: BROKEN }), []);
    assert.deepEqual(kindsOf(worker.handle({ kind: "loaded" })), ["report"]);
  });

  it("that came out in spite of being void gives its slots back and is not pushed", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 1));
    worker.publish(1, 1);
    const { id } = worker.core.state.computing!.work;
    assert.deepEqual(worker.computed(3, 4), [{ kind: "releaseSlots", work: id, slots: [3, 4] }]);
  });

  it("is started as soon as its weights are being loaded, whichever comes first", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(1, 0, 1), lease(1, 1, 2));
    assert.deepEqual(kindsOf(worker.publish(1, 1)), ["load", "compute"]);
    assert.deepEqual(kindsOf(worker.computed(1)), ["report", "push", "push", "prefetchSteps", "compute"]);
    worker.computed(2);
    assert.deepEqual(begunBy(worker.handle(lease(1, 2, 3))), [102]);
    assert.deepEqual(kindsOf(worker.handle({ kind: "loaded" })), ["report"]);
  });

  it("that was started with weights that then moved is abandoned", () => {
    const worker = attachedCore();
    worker.handle(lease(0, 0, 1));
    for (const shard of [0, 1]) worker.handle({ kind: "shardWeights", shard, term: 1, version: 0, sequence: 1 });
    const { id } = worker.core.state.computing!.work;
    assert.deepEqual(worker.handle({ kind: "loaded", moved: [0] }), [{ kind: "abandon", work: id }]);
    assert.deepEqual(worker.computed(3), [{ kind: "releaseSlots", work: id, slots: [3] }]);
  });

  it("is not started between two versions", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle({ kind: "termOpened", term: 2, version: 0 });
    assert.deepEqual(kindsOf(worker.handle(lease(0, 0, 1, 2))), ["prefetch", "prepare"]);
    assert.deepEqual(kindsOf(worker.publish(2, 0)), ["load", "compute"]);
  });

  it("of an older term is void by whichever comes first, a chunk of the term or the word of it", () => {
    for (const news of [
      { kind: "termOpened", term: 2, version: 0 },
      { kind: "chunk", shard: 0, chunk: 0, term: 2, version: 0 },
    ] as const) {
      const worker = attachedCore();
      worker.hold(1, 0);
      worker.handle(lease(0, 0, 1), lease(0, 1, 2), lease(9, 0, 1));
      worker.computed(1);
      assert.deepEqual(kindsOf(worker.handle(news)).slice(0, 2), ["abandon", "cancelPush"]);
      assert.deepEqual(worker.core.state.queue, []);
      for (const shard of [0, 1]) {
        worker.handle({ kind: "pushFailed", work: 1, shard, failure: BROKEN, broken: true, lent: false });
      }
      assert.equal(worker.core.state.pushes.size, 0);
    }
  });

  it("that fails is given back with the reason, and with the micro-batch where one is to blame", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 1, 3), evaluation(1, 0));
    const fail = (nonFinite?: number) =>
      worker.handle({ kind: "workFailed", work: worker.core.state.computing!.work.id, failure: DIED, nonFinite })[0];
    const failed = { kind: "leaseFailed", lease: 1, ...DIED } as const;
    assert.deepEqual(fail(2), { kind: "report", report: { ...failed, microBatch: 2, nonFinite: true } });
    assert.deepEqual(fail(), {
      kind: "report",
      report: { kind: "evaluationFailed", term: 1, version: 0, firstBatch: 0, ...DIED },
    });
  });

  it("reports that new threads hold nothing before it reports that they hold something again, and returns the lease", () => {
    const worker = attachedCore();
    worker.hold(1, 0);
    worker.handle(lease(0, 0, 2), lease(0, 2, 3));
    const { id } = worker.core.state.computing!.work;
    const effects = worker.handle({ kind: "workFailed", work: id, failure: DIED, threadsDied: true });
    assert.deepEqual(kindsOf(effects), ["report", "load", "compute", "report"]);
    assert.deepEqual(reportsOf(effects), ["weightsLost", "leaseFailed 0"]);
    assert.deepEqual(begunBy(effects), [2]);
  });

  it("beyond what any server gives at once ends the worker", () => {
    const worker = attachedCore();
    for (let i = 0; i < 1_024; i++) worker.handle(lease(9, 0, 1));
    const [effect] = worker.handle(lease(9, 0, 1));
    assert.ok(effect.kind === "end" && "error" in effect.ending);
    assert.match(String(effect.ending.error), /gives this worker more than 1024 leases at once/);
  });

  it("has its samples fetched when it comes, and the same share of the next steps behind its push", () => {
    const worker = attachedCore({ microBatchesTotal: 7 });
    worker.hold(1, 0);
    assert.deepEqual(worker.handle(lease(0, 1, 4))[0], { kind: "prefetch", batches: "microBatch", first: 1, end: 4 });
    const effects = worker.computed(5);
    assert.deepEqual(kindsOf(effects), ["report", "push", "push", "prefetchSteps"]);
    assert.deepEqual(effects.at(-1), { kind: "prefetchSteps", first: 5, count: 3, every: 4, end: 7 });
  });
});
