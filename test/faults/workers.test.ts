/** Workers that join, die, pause and leave during a run, each in its own process. */
import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import {
  completed,
  judge,
  progressOf,
  readSummary,
  recovery,
  STEPS,
  startRun,
  startServer,
  startWorker,
  TASK,
  undisturbedHash,
  untilSteps,
  workersSince,
} from "./figures.test.helper.js";
import { childrenAs, until, withScene } from "./programs.test.helper.js";

/** After SIGTERM a program must end in order within this time. */
const TERMINATE_MS = 30_000;
/** Without a rollback nothing is computed again, by the coordinator's count. */
const NOTHING = 0;

describe("a run, bit for bit the undisturbed one", { timeout: 600_000 }, () => {
  it("continues with a worker that joins during the run", { skip: !ALL }, async () => {
    await withScene(TASK, async (scene) => {
      const { program: server, address } = await startServer(scene, { steps: 100_000 });
      const first = startWorker(scene, address);
      await untilSteps(scene, 20, [server, first]);
      const joinedAt = progressOf(scene.out).steps;
      const second = startWorker(scene, address);
      await until(() => workersSince(scene.out, joinedAt).size === 2, "a step with both workers", [server, second]);
      const stop = scene.start(["stop", address, "--run", scene.out]);
      await Promise.all([stop, server, first, second].map(completed));
      const { steps } = readSummary(scene.out);
      assert.ok(steps > joinedAt);
      judge(scene, { fault: "worker joins", expected: await undisturbedHash(steps), recomputedMax: NOTHING });
    });
  });

  for (const atStep of ALL ? [15, 30, 60] : [30]) {
    it(`continues when a worker is killed after step ${atStep}, and the supervisor starts another`, async () => {
      const expected = await undisturbedHash();
      await withScene(TASK, async (scene) => {
        const run = startRun(scene);
        await untilSteps(scene, atStep, [run]);
        const [victim] = childrenAs(run, "programs/worker.js");
        process.kill(victim, "SIGKILL");
        const recoveryMs = await recovery(scene, false);
        await completed(run);
        assert.match(run.output, /Worker \d died and is started again/);
        judge(scene, { fault: "worker killed, restarted", expected, recomputedMax: NOTHING, recoveryMs });
      });
    });

    it(`continues when one of two workers is killed for good after step ${atStep}`, { skip: !ALL }, async () => {
      const expected = await undisturbedHash();
      await withScene(TASK, async (scene) => {
        const { program: server, address } = await startServer(scene, { workers: 2 });
        const [victim, other] = [startWorker(scene, address), startWorker(scene, address)];
        await untilSteps(scene, atStep, [server, victim, other]);
        victim.signal("SIGKILL");
        const recoveryMs = await recovery(scene, false);
        await Promise.all([server, other].map(completed));
        judge(scene, { fault: "worker killed", expected, recomputedMax: NOTHING, recoveryMs });
      });
    });

    it(`advances while a worker is paused after step ${atStep}, and takes it back`, async () => {
      const expected = await undisturbedHash();
      await withScene(TASK, async (scene) => {
        const { program: server, address } = await startServer(scene, { workers: 2 });
        const [sleeper, other] = [startWorker(scene, address), startWorker(scene, address)];
        await untilSteps(scene, atStep, [server, sleeper, other]);
        sleeper.signal("SIGSTOP");
        const stoppedAt = progressOf(scene.out).steps;
        const recoveryMs = await recovery(scene, false);
        // Two steps may already have had all they needed from it; the third was leased while it was paused.
        await untilSteps(scene, stoppedAt + 3, [server, other]);
        sleeper.signal("SIGCONT");
        await Promise.all([server, sleeper, other].map(completed));
        assert.match(server.output, /silent for 3 s/);
        judge(scene, { fault: "worker stopped, continued", expected, recomputedMax: NOTHING, recoveryMs });
      });
    });
  }

  it("continues when a worker is asked to end, which it does in order", { skip: !ALL }, async () => {
    const expected = await undisturbedHash();
    await withScene(TASK, async (scene) => {
      const { program: server, address } = await startServer(scene, { workers: 2 });
      const [leaver, other] = [startWorker(scene, address), startWorker(scene, address)];
      await untilSteps(scene, 30, [server, leaver, other]);
      const at = performance.now();
      leaver.signal("SIGTERM");
      await completed(leaver);
      assert.ok(performance.now() - at < TERMINATE_MS);
      assert.deepEqual(leaver.children(), []);
      assert.ok(progressOf(scene.out).steps < STEPS, "the run was over before the worker left");
      await Promise.all([server, other].map(completed));
      judge(scene, { fault: "worker SIGTERM", expected, recomputedMax: NOTHING });
    });
  });
});
