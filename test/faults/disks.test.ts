/** Full disks, and damaged checkpoints. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import {
  closeSync,
  mkdtempSync,
  openSync,
  readdirSync,
  readFileSync,
  rmdirSync,
  rmSync,
  statfsSync,
  truncateSync,
  writeFileSync,
  writeSync,
} from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { broken } from "../promises.test.helper.js";
import {
  atRisk,
  CHECKPOINT_STEPS,
  completed,
  judge,
  recovery,
  startRun,
  TASK,
  undisturbedHash,
  untilSteps,
} from "./figures.test.helper.js";
import { type Program, type Scene, withScene } from "./programs.test.helper.js";

/** A failure is reported in one line on standard error, without a stack. */
async function failedWith(program: Program, sentence: RegExp): Promise<void> {
  const { code } = await program.exited;
  assert.ok(code !== 0 && code !== null, `ended with ${code}: ${program.output}`);
  assert.match(program.output, sentence);
  assert.doesNotMatch(program.output, /\n {4}at |This is a bug/);
  assert.deepEqual(program.children(), []);
}

/** The checkpoints' files, oldest first. */
function checkpointFiles(scene: Scene): string[] {
  const folder = join(scene.out, "checkpoints");
  return readdirSync(folder, { recursive: true })
    .map(String)
    .filter((name) => name.endsWith(".safetensors"))
    .sort()
    .map((name) => join(folder, name));
}

function flipBit(path: string): void {
  const bytes = readFileSync(path);
  bytes[bytes.length >> 1] ^= 0x10;
  writeFileSync(path, bytes);
}

/** A run that was killed after step 70, so with checkpoints of steps 60, 40 and 20. */
async function killedRun(scene: Scene): Promise<void> {
  const run = startRun(scene);
  await untilSteps(scene, 70, [run]);
  run.killAll();
  await run.exited;
  const { length } = checkpointFiles(scene);
  assert.ok(length >= 3, broken("checkpointSurvives", `After kill -9 there are ${length} checkpoints.`));
}

const DAMAGES: readonly (readonly [what: string, damage: (path: string) => void])[] = [
  ["has a flipped bit", flipBit],
  ["is cut short", (path) => truncateSync(path, 100_000)],
  ["is empty", (path) => truncateSync(path, 0)],
];

describe("a run with damaged checkpoints", { timeout: 600_000 }, () => {
  for (const [what, damage] of ALL ? DAMAGES : DAMAGES.slice(0, 1)) {
    it(`resumes from the one before if the newest ${what}, says so, and has the same bits`, async () => {
      const expected = await undisturbedHash();
      await withScene(TASK, async (scene) => {
        await killedRun(scene);
        const recomputedMax = atRisk(scene.out) + CHECKPOINT_STEPS;
        const newest = checkpointFiles(scene).at(-1)!;
        damage(newest);
        const recovering = recovery(scene, true);
        const run = startRun(scene);
        await completed(run);
        const recoveryMs = await recovering;
        const isSaid = run.output.includes(newest) && /is not used/.test(run.output);
        assert.ok(isSaid, broken("noSilentDamage", `Nothing says that ${newest} ${what}: ${run.output}`));
        judge(scene, { fault: `newest checkpoint ${what}`, expected, recomputedMax, recoveryMs });
      });
    });
  }

  it("refuses in one sentence when all are damaged, and touches none", { skip: !ALL }, async () => {
    await withScene(TASK, async (scene) => {
      await killedRun(scene);
      const files = checkpointFiles(scene);
      for (const file of files) flipBit(file);
      await failedWith(startRun(scene), /No checkpoint is valid on every shard: restore one from a backup/);
      assert.deepEqual(checkpointFiles(scene), files, broken("checkpointSurvives", "Damaged files were touched."));
    });
  });
});

const DISK_BYTES = 4 * 1024 * 1024;

/** Calls `use` with the folder of a small new disk; returns whether this machine allows mounting one. */
async function withDisk(use: (folder: string) => Promise<void>): Promise<boolean> {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-disk-"));
  try {
    execFileSync("mount", ["-t", "tmpfs", "-o", `size=${DISK_BYTES}`, "tmpfs", folder], { stdio: "ignore" });
  } catch {
    rmdirSync(folder);
    return false;
  }
  try {
    await use(folder);
  } finally {
    execFileSync("umount", [folder]);
    rmdirSync(folder);
  }
  return true;
}

/** Fills the disk until only `leaveBytes` are free. */
function fill(path: string, leaveBytes: number): void {
  const { bavail, bsize } = statfsSync(join(path, ".."));
  const file = openSync(path, "w");
  try {
    const zeros = Buffer.alloc(bsize);
    for (let left = bavail * bsize - leaveBytes; left > 0; left -= bsize) writeSync(file, zeros);
  } catch (error) {
    // The run may use space meanwhile.
    if ((error as NodeJS.ErrnoException).code !== "ENOSPC") throw error;
  } finally {
    closeSync(file);
  }
}

describe("a run on a full disk", { timeout: 600_000 }, () => {
  const cases: readonly (readonly [what: string, leaveBytes: number])[] = [
    ["has no room for another line of the records", 0],
    ["has no room for a checkpoint", 64 * 1024],
  ];
  for (const [what, leaveBytes] of cases) {
    it(`ends with one sentence when it ${what}, and resumes once there is room`, { skip: !ALL }, async (t) => {
      const expected = await undisturbedHash();
      const mounted = await withDisk(async (folder) => {
        const filler = join(folder, "filler");
        const test = async (scene: Scene): Promise<void> => {
          const run = startRun(scene);
          await untilSteps(scene, 47, [run]);
          fill(filler, leaveBytes);
          await failedWith(run, /the disk is full\. Free some space and run again\./);
          const recomputedMax = atRisk(scene.out);
          rmSync(filler);
          const recovering = recovery(scene, true);
          await completed(startRun(scene));
          const recoveryMs = await recovering;
          judge(scene, { fault: `disk ${what}`, expected, recomputedMax, recoveryMs });
        };
        await withScene(TASK, test, join(folder, "run"));
      });
      if (!mounted) t.skip("this machine does not allow mounting a disk");
    });
  }

  it("ends with one sentence when there is no room for the first checkpoint", async (t) => {
    const mounted = await withDisk(async (folder) => {
      fill(join(folder, "filler"), 64 * 1024);
      await withScene(TASK, (scene) => failedWith(startRun(scene), /the disk is full/), join(folder, "run"));
    });
    if (!mounted) t.skip("this machine does not allow mounting a disk");
  });
});

describe("a run that diverges", { timeout: 600_000 }, () => {
  it("ends with one sentence that names step, micro-batch and samples, its checkpoints intact", {
    skip: !ALL,
  }, async () => {
    // One step makes the weights of twelve layers as large as the learning rate: their product overflows.
    const layers = Array.from({ length: 12 }, () => ({ layer: "Dense", units: 32, activation: "relu" }));
    const model = {
      kind: "sequential",
      layers: [{ layer: "Flatten", inputShape: [28, 28, 1] }, ...layers, { layer: "Dense", units: 10 }],
    };
    await withScene({ ...TASK, model, learningRate: 1000 }, async (scene) => {
      const sentence =
        /The run has diverged at step (\d+), micro-batch (\d+) \(samples (?:\d+, ){7}\d+\): .*lower learningRate/;
      const run = startRun(scene);
      await failedWith(run, sentence);
      const [, step, microBatch] = sentence.exec(run.output)!.map(Number);
      assert.equal(Math.floor(microBatch / TASK.microBatchesPerStep), step);
      assert.ok(checkpointFiles(scene).length > 0);
      // Running it again ends the same way: nothing that was written is damaged.
      await failedWith(startRun(scene), new RegExp(`diverged at step ${step}, micro-batch \\d+`));
    });
  });
});
