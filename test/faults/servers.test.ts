/** Server processes that die or are asked to end during a run, by themselves or with all others. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import {
  atRisk,
  completed,
  judge,
  progressOf,
  recovery,
  STEPS,
  startRun,
  startServer,
  startWorker,
  TASK,
  undisturbedHash,
  untilSteps,
} from "./figures.test.helper.js";
import { childrenAs, type Program, until, withScene } from "./programs.test.helper.js";

const TERMINATE_MS = 30_000;

/** Points in the code at which a process kills itself, and at which pass; `npm test` runs this one. */
const POINTS = ["shard.apply:157"];
/** Several times at all points, with one shard of 4 chunks and 4 leaves per step. */
const MORE_POINTS = [
  ...["coordinator.lease:1", "coordinator.lease:90", "coordinator.commit:1", "coordinator.commit:55"],
  ...["coordinator.record:1", "coordinator.record:40", "coordinator.record:55"],
  ...["shard.push:1", "shard.push:250", "shard.apply:1", "shard.apply:158", "shard.apply:159", "shard.apply:160"],
  ...["checkpoint.write:1", "checkpoint.write:2", "checkpoint.write:4"],
  ...["checkpoint.fsync:1", "checkpoint.fsync:2", "checkpoint.fsync:3"],
  ...["checkpoint.rename:1", "checkpoint.rename:2", "checkpoint.rename:4"],
  ...["checkpoint.done:1", "checkpoint.done:2", "checkpoint.done:4"],
];

async function killed(program: Program): Promise<void> {
  const { signal } = await program.exited;
  assert.equal(signal, "SIGKILL", program.output);
  // Everything it had started must notice, and end.
  await until(() => program.children().length === 0, "the end of what a killed program has started");
}

describe("a run, bit for bit the undisturbed one", { timeout: 900_000 }, () => {
  it("resumes when the whole cluster is killed and the command repeated, again and again", async () => {
    const expected = await undisturbedHash();
    await withScene(TASK, async (scene) => {
      const kills = ALL ? [10, 35, 75, 110, 130] : [75];
      let recomputedMax = 0;
      for (const atStep of kills) {
        const run = startRun(scene, { shards: 2 });
        await untilSteps(scene, atStep, [run]);
        run.killAll();
        await killed(run);
        recomputedMax += atRisk(scene.out);
      }
      const recovering = recovery(scene, true);
      await completed(startRun(scene, { shards: 2 }));
      const recoveryMs = await recovering;
      judge(scene, { fault: "cluster killed", shards: 2, expected, recomputedMax, recoveryMs });
    });
  });

  for (const point of ALL ? [...POINTS, ...MORE_POINTS] : POINTS) {
    it(`resumes when the server dies at ${point} and the command is repeated`, async () => {
      const expected = await undisturbedHash();
      await withScene(TASK, async (scene) => {
        const dying = startRun(scene, { env: { ISOBATCH_FAIL_AT: point } });
        await killed(dying);
        const recomputedMax = atRisk(scene.out);
        const recovering = recovery(scene, true);
        await completed(startRun(scene));
        const recoveryMs = await recovering;
        judge(scene, { fault: `server dies at ${point}`, expected, recomputedMax, recoveryMs });
      });
    });
  }

  for (const shard of ALL ? [1, 2, 1, 2] : []) {
    it(`continues when shard ${shard} of three is killed: all return to one checkpoint`, async () => {
      const expected = await undisturbedHash();
      await withScene(TASK, async (scene) => {
        const run = startRun(scene, { shards: 3 });
        await untilSteps(scene, 47, [run]);
        const [victim] = childrenAs(run, `programs/shard.js ${shard}`);
        process.kill(victim, "SIGKILL");
        // A step that all shards have committed may not be recorded yet.
        const recomputedMax = atRisk(scene.out) + 1;
        const recoveryMs = await recovery(scene, true);
        await completed(run);
        assert.equal(progressOf(scene.out).restores, 2);
        judge(scene, { fault: "shard killed", shards: 3, expected, recomputedMax, recoveryMs });
      });
    });
  }

  it("resumes when the server is killed and started again on its port: workers reconnect by themselves", async () => {
    const expected = await undisturbedHash();
    await withScene(TASK, async (scene) => {
      const { program: first, address } = await startServer(scene, { workers: 2 });
      const workers = [startWorker(scene, address), startWorker(scene, address)];
      await untilSteps(scene, 50, [first, ...workers]);
      first.killAll();
      const recovering = recovery(scene, true);
      await killed(first);
      const recomputedMax = atRisk(scene.out);
      const { program: second } = await startServer(scene, { workers: 2, port: Number(address.split(":")[1]) });
      const recoveryMs = await recovering;
      await Promise.all([second, ...workers].map(completed));
      for (const { output } of workers) assert.match(output, /Joining again/);
      judge(scene, { fault: "server killed, restarted", expected, recomputedMax, recoveryMs });
    });
  });

  it("resumes after SIGTERM during a step, which ends everything in order and loses nothing", {
    skip: !ALL,
  }, async () => {
    const expected = await undisturbedHash();
    await withScene(TASK, async (scene) => {
      const run = startRun(scene, { shards: 2 });
      await untilSteps(scene, 33, [run]);
      const at = performance.now();
      run.signal("SIGTERM");
      await completed(run);
      assert.ok(performance.now() - at < TERMINATE_MS);
      assert.deepEqual(run.children(), []);
      assert.ok(progressOf(scene.out).steps < STEPS);
      const recovering = recovery(scene, true);
      await completed(startRun(scene, { shards: 2 }));
      const recoveryMs = await recovering;
      judge(scene, { fault: "server SIGTERM", shards: 2, expected, recomputedMax: 0, recoveryMs });
    });
  });
});
