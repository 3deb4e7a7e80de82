/** Several faults of all kinds in one run, drawn from a seed; only `npm run faults` and `npm run test:all` run this. */
import { describe, it } from "node:test";
import { createRandom } from "../../shared/random.js";
import {
  atRisk,
  completed,
  judge,
  progressOf,
  STEPS,
  startRun,
  TASK,
  undisturbedHash,
  untilSteps,
} from "./figures.test.helper.js";
import { childrenAs, type Program, type Scene, until, withScene } from "./programs.test.helper.js";

const SEEDS = [1, 2, 3, 4, 5, 6];
const FAULTS = 6;
const SHARDS = 3;
/** The last step that may have a fault: far enough from the end that the run is still training. */
const LAST_STEP = STEPS - 40;

type Fault = "worker killed" | "shard killed" | "worker stopped" | "cluster killed";
const KINDS: readonly Fault[] = ["worker killed", "shard killed", "worker stopped", "cluster killed"];

describe("a run, bit for bit the undisturbed one", { timeout: 1_200_000 }, () => {
  for (const seed of SEEDS) {
    it(`survives ${FAULTS} faults drawn from seed ${seed}`, async () => {
      const expected = await undisturbedHash();
      const random = createRandom(seed);
      const faults = Array.from({ length: FAULTS }, () => ({
        atStep: random.below(LAST_STEP),
        kind: KINDS[random.below(KINDS.length)],
        which: random.below(1_000),
      })).sort((a, b) => a.atStep - b.atStep);
      await withScene(TASK, async (scene) => {
        let run = startRun(scene, { shards: SHARDS });
        let recomputedMax = 0;
        for (const { atStep, kind, which } of faults) {
          await untilSteps(scene, atStep, [run]);
          const restores = progressOf(scene.out).restores;
          run = await strike(scene, run, kind, which);
          if (kind === "shard killed" || kind === "cluster killed") {
            // A step may still have been on its way into the record.
            recomputedMax += atRisk(scene.out) + 1;
            await until(() => progressOf(scene.out).restores > restores, "the run's return to a checkpoint", [run]);
          }
        }
        await completed(run);
        judge(scene, { fault: `${FAULTS} drawn faults`, shards: SHARDS, expected, recomputedMax });
      });
    });
  }
});

/** @returns the program that continues the run */
async function strike(scene: Scene, run: Program, kind: Fault, which: number): Promise<Program> {
  if (kind === "cluster killed") {
    run.killAll();
    await run.exited;
    return startRun(scene, { shards: SHARDS });
  }
  const role = kind === "shard killed" ? "programs/shard.js" : "programs/worker.js";
  // The previous fault may have hit the same process.
  await until(() => childrenAs(run, role).length > 0, `a ${role}`, [run]);
  const victims = childrenAs(run, role);
  const victim = victims[which % victims.length];
  if (kind !== "worker stopped") {
    process.kill(victim, "SIGKILL");
    return run;
  }
  process.kill(victim, "SIGSTOP");
  const { steps } = progressOf(scene.out);
  await untilSteps(scene, steps + 2, [run]);
  process.kill(victim, "SIGCONT");
  return run;
}
