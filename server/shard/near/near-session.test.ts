import assert from "node:assert/strict";
import { chmodSync, existsSync, ftruncateSync, readdirSync, readFileSync, rmSync, writeSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { makeMappingInstallation } from "../../../shared/native/file-mapper.test.helper.js";
import { createSequencePages, openSequence, removeStaleFolders, thetaFile } from "../../../shared/near/index.js";
import type { NearHello, NearNode } from "../../../shared/wire/index.js";
import { ACTIVE, LAYOUT, sealOf } from "../small-shard.test.helper.js";
import { joinNear, type NearShard, serveNearShard, weightsAfter } from "./near-shard.test.helper.js";

const installation = makeMappingInstallation();
after(() => installation?.remove());

const HALVES = [
  { lo: 0, hi: 2, slot: 0 },
  { lo: 2, hi: 4, slot: 1 },
];

/** θ in the file that workers read. */
function sharedWeights({ root, connection: _ }: NearShard): Float32Array {
  const [folder] = readdirSync(root).filter((name) => existsSync(join(root, name, thetaFile(0))));
  const bytes = readFileSync(join(root, folder, thetaFile(0)));
  return new Float32Array(bytes.buffer, bytes.byteOffset, LAYOUT.length);
}

for (const mapper of [installation?.mapper, undefined]) {
  const how = mapper === undefined ? "copies" : "maps";
  describe(`a shard that ${how} what it shares`, {
    timeout: 60_000,
    skip: how === "maps" && installation === undefined,
  }, () => {
    it("takes sums from slots, lent or not, and shows its weights, of one version at a time", async (test) => {
      const near = await serveNearShard(test, mapper);
      const worker = await joinNear(test, near);
      const first = await worker.weights();
      assert.deepEqual([first.term, first.version], [1, 0]);
      assert.deepEqual(sharedWeights(near), weightsAfter(0));
      worker.send({ slots: { slots: 2 } });
      worker.send({ slots: { slots: 4 } });
      for (const step of [0, 1, 2]) {
        const lend = step !== 1;
        // Leaves too, and in slots of both announcements.
        worker.fill(3, 0, 1);
        worker.fill(0, 1, 2);
        worker.fill(2, 2, 4);
        const nodes = [
          { lo: 0, hi: 1, slot: 3 },
          { lo: 1, hi: 2, slot: 0 },
        ];
        worker.push(0, 2, nodes, { lend }, { step, lease: 10 * step });
        const answer = await worker.answer();
        assert.deepEqual(answer, {
          lease: 10 * step,
          accepted: 2 * ACTIVE.length,
          dropped: 0,
          lent: lend,
          refused: "",
        });
        // Not lent, it may be used for something else at once.
        if (!lend) worker.fill(0, 2, 4);
        worker.push(2, 4, [{ lo: 2, hi: 4, slot: 2 }], { lend }, { step, lease: 10 * step + 1 });
        // It completed the step, so that nothing is lent any more.
        assert.deepEqual((await worker.answer()).lent, false);
        const weights = await worker.weights();
        assert.equal(weights.version, step + 1);
        assert.notEqual(weights.sequence, first.sequence);
        assert.deepEqual(sharedWeights(near), weightsAfter(step + 1));
        assert.deepEqual(await near.weights(), weightsAfter(step + 1));
        near.open(step + 1);
      }
      assert.deepEqual(near.failures, []);
    });

    it("says by its sequence that weights move, from a step's first chunk to its last, and at a restore", async (test) => {
      const near = await serveNearShard(test, mapper);
      const worker = await joinNear(test, near);
      const [folder] = readdirSync(near.root).filter((name) => existsSync(join(near.root, name, thetaFile(0))));
      const pages = createSequencePages(1);
      const sequence = openSequence({ folder: join(near.root, folder), memory: pages, page: 0, mapper });
      test.after(() => sequence.close());
      const first = await worker.weights();
      assert.equal(sequence.read(), first.sequence);
      for (let chunk = 0; chunk < ACTIVE.length; chunk++) {
        await near.pushChunk(chunk);
        assert.equal(sequence.read() & 1, chunk < ACTIVE.length - 1 ? 1 : 0, `after chunk ${chunk}`);
      }
      const second = await worker.weights();
      assert.deepEqual([second.version, second.sequence], [1, sequence.read()]);
      assert.notEqual(second.sequence, first.sequence);
      near.shard.handle({ kind: "detached" });
      assert.equal(sequence.read() & 1, 1);
      near.shard.handle({ kind: "restore", term: 2, step: 0 });
      const third = await worker.weights();
      assert.deepEqual([third.term, third.version, third.sequence], [2, 0, sequence.read()]);
      assert.deepEqual(sharedWeights(near), weightsAfter(0));
    });

    it("drops what it has, and lets a push wait for its plan without holding up others", async (test) => {
      const near = await serveNearShard(test, mapper);
      const worker = await joinNear(test, near);
      worker.send({ slots: { slots: 2 } });
      worker.fill(0, 0, 2);
      worker.fill(1, 2, 4);
      worker.push(0, 2, [HALVES[0]], {}, { step: 1, lease: 100 });
      worker.push(0, 2, [HALVES[0]]);
      worker.push(0, 2, [HALVES[0]], {}, { lease: 7 });
      const answers = [await worker.answer(), await worker.answer()];
      assert.deepEqual(
        answers.map(({ lease, accepted, dropped }) => [lease, accepted, dropped]),
        [
          [1, ACTIVE.length, 0],
          [7, 0, ACTIVE.length],
        ],
      );
      worker.push(2, 4, [HALVES[1]]);
      assert.equal((await worker.answer()).accepted, ACTIVE.length);
      near.open(1);
      const late = await worker.answer();
      assert.deepEqual([late.lease, late.accepted], [100, ACTIVE.length]);
      assert.deepEqual(await near.weights(), weightsAfter(1));
    });

    it("finishes a step with what a worker lent that is gone, and leaves nothing of it", async (test) => {
      const near = await serveNearShard(test, mapper);
      const [gone, staying] = [await joinNear(test, near), await joinNear(test, near, { workerId: "w-2" })];
      for (const worker of [gone, staying]) worker.send({ slots: { slots: 2 } });
      gone.fill(0, 0, 2);
      staying.fill(1, 2, 4);
      gone.push(0, 2, [HALVES[0]], { lend: true });
      assert.ok((await gone.answer()).lent);
      gone.leave();
      assert.equal(await gone.ended(), "well");
      // As the next process would, if this one had been killed.
      rmSync(gone.path, { recursive: true });
      staying.push(2, 4, [HALVES[1]], { lend: true });
      await staying.answer();
      assert.deepEqual(await near.weights(), weightsAfter(1));
      await removeStaleFolders(near.root);
      assert.equal(readdirSync(near.root).length, 2);
    });

    it("survives a worker that cuts its slots off: they read as zeros", async (test) => {
      const near = await serveNearShard(test, mapper);
      const worker = await joinNear(test, near);
      worker.send({ slots: { slots: 2 } });
      worker.fill(0, 0, 2);
      worker.fill(1, 2, 4);
      worker.push(0, 2, [HALVES[0]], { lend: true });
      assert.ok((await worker.answer()).lent);
      ftruncateSync(worker.file, 0);
      worker.push(2, 4, [HALVES[1]], { lend: true });
      assert.equal((await worker.answer()).accepted, ACTIVE.length);
      const nothing = [0, 1, 2, 3].map(() => new Float32Array(LAYOUT.parameters + LAYOUT.tail));
      assert.deepEqual(await near.weights(), weightsAfter(1, nothing));
      assert.deepEqual(near.failures, []);
      // And takes no more of them than are there.
      worker.send({ slots: { slots: 3 } });
      assert.match(await worker.ended(), /slots of this worker can't be used: a file of 0 bytes/);
    });

    it("computes with what it has read once, whatever a worker does to sums that it has not lent", async (test) => {
      const near = await serveNearShard(test, mapper);
      const worker = await joinNear(test, near);
      worker.send({ slots: { slots: 2 } });
      worker.fill(0, 0, 2);
      worker.push(0, 2, [HALVES[0]]);
      await worker.answer();
      writeSync(worker.file, new Uint8Array(100_000).fill(0xff), 0, 100_000, 0);
      worker.fill(1, 2, 4);
      worker.push(2, 4, [HALVES[1]]);
      await worker.answer();
      assert.deepEqual(await near.weights(), weightsAfter(1));
    });

    const REFUSALS: [name: string, nodes: NearNode[], more: object, claims: object, reason: RegExp][] = [
      ["a slot that there is not", [{ lo: 0, hi: 2, slot: 2 }], {}, {}, /must send slots below 2/],
      ["a node outside its lease", [{ lo: 0, hi: 4, slot: 0 }], {}, {}, /outside the lease/],
      ["a range that is not a node of the tree", [{ lo: 1, hi: 3, slot: 0 }], {}, { lo: 1, hi: 3 }, /not a node/],
      ["another worker's lease", [HALVES[0]], {}, { workerId: "w-2" }, /its own lease/],
      ["a lease of another run", [HALVES[0]], {}, { runId: "another" }, /no such lease/],
      ["no lease", [HALVES[0]], { lease: null }, {}, /its own lease/],
      ["a lease of a term that is over", [HALVES[0]], {}, { term: 0 }, /is over/],
    ];
    it("refuses what a worker may not push, and continues", async (test) => {
      const near = await serveNearShard(test, mapper);
      const worker = await joinNear(test, near);
      worker.send({ slots: { slots: 2 } });
      for (const [name, nodes, more, claims, reason] of REFUSALS) {
        worker.push(0, 2, nodes, more, claims);
        const { refused, accepted } = await worker.answer();
        assert.match(refused, reason, name);
        assert.equal(accepted, 0, name);
      }
      worker.fill(0, 0, 2);
      worker.fill(1, 2, 4);
      for (const half of HALVES) worker.push(half.lo, half.hi, [half]);
      for (const _ of HALVES) assert.equal((await worker.answer()).refused, "");
      assert.deepEqual(await near.weights(), weightsAfter(1));
    });
  });
}

describe("a shard that shares memory", { timeout: 60_000 }, () => {
  const STRANGERS: [name: string, hello: Partial<NearHello>, reason: RegExp][] = [
    ["has not joined", { seal: Buffer.alloc(32) }, /join first/],
    ["has another worker's seal", { seal: sealOf("w-2") }, /has joined/],
    ["can't read the secret", { proof: Buffer.alloc(32) }, /has not proved/],
    ["names a folder elsewhere", { memory: "../tmp" }, /names no folder/],
    ["names a folder that is not there", { memory: "isobatch-0011223344556677" }, /does not exist/],
  ];
  it("shares it with nobody who has not proved who and where it is", async (test) => {
    const near = await serveNearShard(test, undefined);
    for (const [name, hello, reason] of STRANGERS) {
      const worker = await joinNear(test, near, { hello });
      assert.match(await worker.ended(), reason, name);
    }
    const worker = await joinNear(test, near);
    const NO_BYTES = Buffer.alloc(0);
    worker.send({ hello: { workerId: "w-1", seal: NO_BYTES, proof: NO_BYTES, memory: "" } });
    assert.match(await worker.ended(), /must send slots or a push/);
  });

  it("does not believe how many slots a worker says it has, nor that its folder is its own", async (test) => {
    const near = await serveNearShard(test, installation?.mapper);
    const bold = await joinNear(test, near, { slots: 2 });
    bold.send({ slots: { slots: 60_000 } });
    assert.match(await bold.ended(), /can't be used: a file of \d+ bytes for slots that take \d+/);
    const shrinking = await joinNear(test, near);
    shrinking.send({ slots: { slots: 2 } });
    shrinking.send({ slots: { slots: 1 } });
    assert.match(await shrinking.ended(), /1 slots after 2/);
    const open = await joinNear(test, near);
    await open.weights();
    chmodSync(open.path, 0o755);
    const next = await joinNear(test, near, { hello: { memory: open.path.split("/").at(-1) } });
    assert.match(await next.ended(), /not this user's own folder/);
  });
});

describe("a test's worker", { timeout: 10_000 }, () => {
  it("waits for an answer and for weights at once, and not without end", async (test) => {
    const near = await serveNearShard(test, undefined);
    const worker = await joinNear(test, near, { patienceMs: 100 });
    const answers = [worker.answer(), worker.answer()];
    await Promise.all(answers.map((answer) => assert.rejects(answer, /the shard says nothing/)));
    const patient = await joinNear(test, near, { workerId: "w-2" });
    await patient.weights();
    patient.send({ slots: { slots: 2 } });
    patient.fill(0, 0, 2);
    patient.fill(1, 2, 4);
    const both = Promise.all([patient.answer(), patient.weights()]);
    patient.push(0, 2, [HALVES[0]]);
    patient.push(2, 4, [HALVES[1]]);
    const [answer, weights] = await both;
    assert.deepEqual([answer.lease, weights.version], [1, 1]);
  });
});
