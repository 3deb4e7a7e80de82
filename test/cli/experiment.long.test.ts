import assert from "node:assert/strict";
import { appendFileSync, existsSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import type { InvarianceSummary, RunResult } from "../../experiment/index.js";
import { openWorkplace, TINY_TASK, untilQuiet, type Workplace } from "./isobatch.test.helper.js";

const LIMIT = { timeout: 60_000 };
const WORDS = [
  ...["experiment", "invariance", "--task", "tiny.json", "--backend", "wasm", "--kappa", "1,2,4", "--lr", "1e-4,1e-2"],
  ...["--arms", "invariant-linear,standard", "--seeds", "0,1", "--micro-batches", "32", "--evaluate-every", "8"],
  ...["--beta1", "0.95"],
];
/** 2 seeds × 2 rates × (1 reference, 1 in another order, 2 arms × 2 κ), and 2 repetitions. */
const RUNS = 26;

describe("isobatch experiment invariance", () => {
  let workplace: Workplace;
  before(() => {
    workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
  });
  after(() => workplace.close());

  const file = (out: string, name: string): string => readFileSync(join(workplace.folder, out, name), "utf8");
  const resultsOf = (out: string): RunResult[] =>
    file(out, "results.jsonl")
      .trimEnd()
      .split("\n")
      .map((line) => JSON.parse(line));
  const bitsOf = (out: string): unknown[] =>
    resultsOf(out)
      .map(({ key, stateHash, evaluations }) => ({ key, stateHash, evaluations }))
      .sort((a, b) => (a.key < b.key ? -1 : 1));

  it("measures gaps against κ = 1, with an exact floor, and draws them", LIMIT, async () => {
    const { code, stdout, stderr } = await workplace.run([...WORDS, "--out", "whole"]);
    assert.deepEqual([code, stderr], [0, ""]);
    assert.match(stdout, /26 runs of 32 micro-batches.*gap at κ = 4/s);
    const results = resultsOf("whole");
    assert.equal(results.length, RUNS);
    const summary: InvarianceSummary = JSON.parse(file("whole", "summary.json"));
    for (const { repeat, repeatSameBits, order } of summary.floors) {
      assert.deepEqual([repeat, repeatSameBits], [0, true]);
      assert.ok(order!.mean > 0);
    }
    // All start from the same weights, so the first losses of a seed agree in every bit.
    for (const seed of [0, 1]) {
      const first = new Set(results.filter((run) => run.seed === seed).map(({ evaluations }) => evaluations[0].loss));
      assert.equal(first.size, 1);
    }
    const gap = (arm: string, learningRate: number): number =>
      summary.cells.find((cell) => cell.arm === arm && cell.kappa === 4 && cell.learningRate === learningRate)!.gap!
        .mean;
    // The steps of unscaled Adam add up to a quarter of what they should; those of the invariant rule fit.
    assert.ok(gap("invariant-linear", 1e-4) * 5 < gap("standard", 1e-4));
    for (const name of ["gap-over-learning-rate", "gap-over-kappa", "curves-1e-2", "speed", "noise-scale"]) {
      assert.match(file("whole", `figures/${name}.svg`), /^<svg .*<path class="c-0.*<\/svg>\n$/s);
    }
    const rows = file("whole", "summary.csv").trimEnd().split("\n");
    assert.equal(rows.length, 1 + summary.cells.length + 2 * summary.floors.length);
    const [, , , , , inTable] = rows.find((row) => row.startsWith("invariant-linear,4,0.0001,"))!.split(",");
    assert.ok(Math.abs(Number(inTable) / gap("invariant-linear", 1e-4) - 1) < 1e-4);
    assert.match(file("whole", "report.html"), /leaves the same bits: a gap of exactly 0/);
  });

  it("resumes after it was killed, and has the same results", LIMIT, async () => {
    const killed = workplace.start([...WORDS, "--out", "killed"]);
    const path = join(workplace.folder, "killed", "results.jsonl");
    while (!(existsSync(path) && readFileSync(path, "utf8").split("\n").length > 4)) {
      await new Promise((resolve) => setTimeout(resolve, 5));
    }
    killed.kill("SIGKILL");
    await killed.ended;
    await untilQuiet(workplace);
    const before = readFileSync(path, "utf8");
    assert.ok(before.split("\n").length <= RUNS);
    appendFileSync(path, '{"key":"torn');
    const { code, stdout } = await workplace.run([...WORDS, "--out", "killed", "--processes", "1"]);
    assert.equal(code, 0);
    assert.doesNotMatch(stdout, / 0 done before/);
    assert.ok(readFileSync(path, "utf8").startsWith(before));
    assert.deepEqual(bitsOf("killed"), bitsOf("whole"));
  });

  it("refuses a folder that holds another experiment, naming what differs", LIMIT, async () => {
    const { code, stderr } = await workplace.run([...WORDS, "--seeds", "0,2", "--out", "whole"]);
    assert.equal(code, 1);
    assert.match(stderr, /^whole holds an experiment whose protocol.seeds is \[0,1\], not \[0,2\]; .*\n$/);
  });

  it("ends on Ctrl-C with nothing left behind, and says how to resume", LIMIT, async () => {
    const running = workplace.start([...WORDS, "--micro-batches", "32000", "--out", "stopped"]);
    await running.until(/runs of 32,000/);
    running.pressCtrlC();
    const { code, stdout, stderr } = await running.ended;
    assert.deepEqual([code, stderr], [130, ""]);
    assert.match(stdout, /stopped with \d+ of 26 runs done; the same command resumes the experiment/);
    await untilQuiet(workplace);
  });

  it("has the paper's protocols, for a task that brings the model and the data", LIMIT, async () => {
    const paper = ["experiment", "invariance", "--preset", "paper-gpt", "--out", "paper"];
    const { code, stderr } = await workplace.run(paper);
    assert.equal(code, 2);
    assert.match(stderr, /^--task is missing: --preset paper-gpt needs a task with a character GPT .*\.\n$/);
    const short = ["--micro-batches", "16", "--evaluate-every", "16", "--lr", "1e-4", "--seeds", "0", "--kappa", "2"];
    const brought = await workplace.run([...paper, "--task", "tiny.json", "--backend", "wasm", ...short]);
    assert.equal(brought.code, 0, brought.stderr);
    const { task } = JSON.parse(file("paper", "experiment.json"));
    assert.deepEqual([task.microBatchSize, task.weightDecay, task.beta1, task.name], [64, 0.01, 0.99, "tiny"]);
  });

  it("refuses bad options in one sentence", LIMIT, async () => {
    const refused = async (sentence: RegExp, ...more: string[]) => {
      const { code, stderr } = await workplace.run([...WORDS, "--out", "bad", ...more]);
      assert.deepEqual([code, stderr.trimEnd().split("\n").length], [2, 1], stderr);
      assert.match(stderr, sentence);
    };
    await refused(/--arms has "adam"; choose from/, "--arms", "adam");
    await refused(/--lr is "fast"/, "--lr", "fast");
    await refused(/--preset is "huge"; it must be one of quick/, "--preset", "huge");
    await refused(/--lr has 0.1 twice/, "--lr", "0.1,1e-1");
    await refused(/at most 20 with beta1 = 0.95/, "--kappa", "32", "--evaluate-every", "32");
  });
});
