/** Processes die that share memory, or memory can't be shared: the run has its undisturbed bits and leaves nothing behind. */
import assert from "node:assert/strict";
import { execFileSync } from "node:child_process";
import { mkdirSync, mkdtempSync, readdirSync, rmSync } from "node:fs";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { makeMappingInstallation } from "../../shared/native/file-mapper.test.helper.js";
import { memoryFolderOf } from "../../shared/near/index.js";
import { broken } from "../promises.test.helper.js";
import {
  completed,
  readSummary,
  startRun,
  startServer,
  startWorker,
  TASK,
  undisturbedHash,
} from "./figures.test.helper.js";
import { type Program, type Scene, until, withScene } from "./programs.test.helper.js";

const STEPS = 40;
const installation = makeMappingInstallation();
const memory = mkdtempSync(join(memoryFolderOf({}), "isobatch-faults-"));
after(() => {
  installation?.remove();
  rmSync(memory, { recursive: true, force: true });
});

const HOWS = [
  { how: "mapped", env: { ISOBATCH_TENSORFLOW: installation?.folder, ISOBATCH_MEMORY: memory, ISOBATCH_LOG: "info" } },
  { how: "copied", env: { ISOBATCH_MEMORY: memory, ISOBATCH_LOG: "info" } },
].filter(({ how }) => how === "copied" || installation !== undefined);

const WORKER_POINTS = ["near.hello:1", "near.welcome:1", "near.put:1", "near.put:30", "near.push:1", "near.push:25"];
const SERVER_POINTS = [
  "shard.near:1",
  "shard.near:2",
  "shard.push:1",
  "shard.push:50",
  "shard.apply:1",
  "shard.apply:30",
];

async function killed(program: Program): Promise<void> {
  const { signal } = await program.exited;
  assert.equal(signal, "SIGKILL", program.output);
  await until(() => program.children().length === 0, "the end of what a killed program has started");
}

function ended(scene: Scene, expected: string): void {
  const { stateHash } = readSummary(scene.out);
  assert.equal(stateHash, expected, broken("sameBits", "Numbers went through shared memory."));
  assert.deepEqual(readdirSync(memory), [], "nothing is left in memory");
}

describe("a run whose numbers are in shared memory", { timeout: 900_000 }, () => {
  for (const { how, env } of HOWS) {
    for (const point of ALL ? SERVER_POINTS : []) {
      it(`${how}, resumes when the server dies at ${point} and the command is repeated`, async () => {
        const expected = await undisturbedHash(STEPS);
        await withScene(TASK, async (scene) => {
          await killed(startRun(scene, { steps: STEPS, env: { ...env, ISOBATCH_FAIL_AT: point } }));
          const second = startRun(scene, { steps: STEPS, env });
          await completed(second);
          const words = how === "mapped" ? /numbers stay in memory/ : /numbers are copied to and from memory/;
          assert.match(second.output, words);
          ended(scene, expected);
        });
      });
    }

    const points = WORKER_POINTS.filter((point) => how === "copied" || !point.startsWith("near.put"));
    for (const point of ALL ? points : how === "copied" ? ["near.put:30"] : []) {
      it(`${how}, continues when a worker dies at ${point}`, async () => {
        const expected = await undisturbedHash(STEPS);
        // The server waits a minute for a worker that dies before it is ready.
        const ready = /hello|welcome/.test(point) ? 1 : 2;
        await withScene(TASK, async (scene) => {
          const { program: server, address } = await startServer(scene, { workers: ready, steps: STEPS, env });
          const staying = startWorker(scene, address, env);
          await killed(startWorker(scene, address, { ...env, ISOBATCH_FAIL_AT: point }));
          await Promise.all([server, staying].map(completed));
          ended(scene, expected);
        });
      });
    }
  }
});

describe("a run that can share no memory", { timeout: 900_000 }, () => {
  const elsewhere = join(memory, "missing");
  it("uses the wire, and says why, where the memory folder is missing", { skip: !ALL }, async () => {
    const expected = await undisturbedHash(STEPS);
    await withScene(TASK, async (scene) => {
      const run = startRun(scene, { steps: STEPS, env: { ISOBATCH_MEMORY: elsewhere, ISOBATCH_LOG: "info" } });
      await completed(run);
      assert.match(run.output, /No memory is shared with workers on this machine: there is no such file or folder/);
      assert.match(run.output, /numbers go over the wire: the shard shares none/);
      ended(scene, expected);
    });
  });

  for (const [what, size, said] of [
    ["the weights", "64k", /No memory is shared with workers on this machine: .* has no room for 1 MiB more/],
    ["the sums", "640k", /numbers go over the wire: .* has no room|others go over the wire: .* has no room/],
  ] as const) {
    it(`uses the wire, and says why, where the memory folder has no room for ${what}`, { skip: !ALL }, async (test) => {
      const full = join(memory, "full");
      mkdirSync(full);
      try {
        execFileSync("mount", ["-t", "tmpfs", "-o", `size=${size}`, "tmpfs", full], { stdio: "pipe" });
      } catch {
        rmSync(full, { recursive: true });
        return test.skip("only root can make a small file system");
      }
      try {
        const expected = await undisturbedHash(STEPS);
        await withScene(TASK, async (scene) => {
          const run = startRun(scene, { steps: STEPS, env: { ...HOWS[0].env, ISOBATCH_MEMORY: full } });
          await completed(run);
          assert.match(run.output, said);
          assert.equal(readSummary(scene.out).stateHash, expected);
          assert.deepEqual(readdirSync(full), []);
        });
      } finally {
        execFileSync("umount", [full]);
        rmSync(full, { recursive: true });
      }
    });
  }
});
