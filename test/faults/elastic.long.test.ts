/** κ that follows the workers while a server dies: the record decides, not the workers that are there afterwards. */
import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { METRICS_FILE, type MetricsLine, readJsonLines, readKappaRecord } from "../../server/record/index.js";
import { broken } from "../promises.test.helper.js";
import { completed, readSummary, startWorker, TASK } from "./figures.test.helper.js";
import { type Scene, until, withScene } from "./programs.test.helper.js";

const RANGE = { perWorker: 2, min: 1, max: 6 };
const ELASTIC = {
  ...TASK,
  name: "faults",
  microBatchesPerStep: RANGE,
  samples: 8 * 2_000,
  checkpointEverySamples: 8 * 500,
};

/** κ of each step, according to the metrics. */
function kappasOf(out: string): number[] {
  return [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))].flatMap((line) =>
    line.type === "step" ? [line.microBatches] : [],
  );
}

async function serve(scene: Scene, port: string) {
  const program = scene.start(["server", scene.task, "--out", scene.out, "--listen", `127.0.0.1:${port}`]);
  const joinLine = /worker join (127\.0\.0\.1:\d+)/;
  await until(() => joinLine.test(program.output), "the server's join line", [program]);
  return { program, address: joinLine.exec(program.output)![1] };
}

describe("an elastic run", { timeout: 600_000 }, () => {
  it("uses the recorded κ again after kill -9 of the server, with fewer workers, and its record replays the same bits", async () => {
    await withScene(ELASTIC, async (scene) => {
      const { program: first, address } = await serve(scene, "0");
      const staying = startWorker(scene, address);
      await until(() => kappasOf(scene.out).length > 10, "step 10", [first, staying]);
      const leaving = startWorker(scene, address);
      const fours = (): number => kappasOf(scene.out).filter((kappa) => kappa === 4).length;
      await until(() => fours() > 20, "20 steps of two workers", [first, staying, leaving]);
      first.killAll();
      leaving.killAll();
      await Promise.all([first.exited, leaving.exited]);
      const before = kappasOf(scene.out);
      assert.deepEqual([...new Set(before)], [2, 4]);

      const { program: second } = await serve(scene, address.split(":")[1]);
      await Promise.all([second, staying].map(completed));
      const after = kappasOf(scene.out);
      assert.deepEqual(after.slice(0, before.length), before, "κ of the steps before the kill");
      assert.equal(after[before.length], 2, "κ of the first step beyond, for the one worker that is left");

      const kappas = readKappaRecord(scene.out, RANGE).map(({ microBatches }) => microBatches);
      assert.deepEqual(kappas.slice(0, 4), [2, 4, 4, 2], "the record, with how far κ = 4 had got");
      const replayed = join(scene.out, "..", "replayed");
      const options = ["--out", replayed, "--workers", "3", "--compute-threads", "1", "--replay-kappa", scene.out];
      await completed(scene.start(["run", scene.task, ...options]));
      const [{ stateHash }, again] = [readSummary(scene.out), readSummary(replayed)];
      assert.equal(again.stateHash, stateHash, broken("sameBits", "κ was replayed from the record of a killed run."));
    });
  });
});
