import assert from "node:assert/strict";
import { existsSync, readdirSync, readFileSync, statSync, truncateSync } from "node:fs";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { type Ended, openWorkplace, TINY_TASK, type Workplace } from "./isobatch.test.helper.js";

/** What a user does with a trained run. All tests share one run and need this order, since later ones damage it. */
describe("a trained run", () => {
  let workplace: Workplace;
  let trained: Ended;
  let summary: { stateHash: string; finalEvaluation: { loss: number; accuracy: number } };
  const LIMIT = { timeout: 60_000 };
  /** What a user does less often, or by mistake. */
  const RARE = { ...LIMIT, skip: !ALL };

  before(async () => {
    workplace = openWorkplace();
    workplace.write("tiny.json", TINY_TASK);
    trained = await workplace.run(["run", "tiny.json", "--out", "run", "--workers", "1"]);
    summary = JSON.parse(readFileSync(join(workplace.folder, "run", "summary.json"), "utf8"));
  });
  after(() => workplace.close());

  it("reported its evaluations, checkpoints, result and report", () => {
    assert.deepEqual([trained.code, trained.stderr], [0, ""]);
    assert.match(trained.stdout, /worker \S+ has joined: WebAssembly/);
    assert.match(trained.stdout, /\n100 %, 1,280 of 1,280 samples, epoch 1\.28 of 1\.3, .* samples\/s, loss \d/);
    assert.match(trained.stdout, /\nafter 640 samples, 0\.64 epochs: test loss [\d.]+, accuracy [\d.]+ %\n/);
    assert.match(trained.stdout, /\ncheckpoint of step 20 written\n/);
    assert.ok(trained.stdout.includes(`state      ${summary.stateHash}\n`));
    assert.ok(trained.stdout.includes(`report     ${join("run", "report.html")}\n`));
    assert.ok(existsSync(join(workplace.folder, "run", "report.html")));
  });

  it("keeps its token where only its owner can read it", () => {
    const file = join(workplace.folder, "run", "token");
    assert.match(readFileSync(file, "utf8"), /^isobatch_\S+\n$/);
    assert.equal(statSync(file).mode & 0o777, 0o600);
  });

  it("is not trained again by the same command", LIMIT, async () => {
    const again = await workplace.run(["run", "tiny.json", "--out", "run"]);
    assert.equal(again.code, 0, again.stderr);
    assert.match(again.stdout, /^tiny is trained already/);
    assert.ok(again.stdout.includes(summary.stateHash));
    assert.doesNotMatch(again.stdout, /joined/);
  });

  it("is listed with its results, which a report compares with those of others", LIMIT, async () => {
    const { code, stdout, stderr } = await workplace.run(["runs", ".", "--report", "runs.html"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, new RegExp(`^run +tiny +sequential .* complete .* ${summary.stateHash.slice(0, 8)}$`, "m"));
    assert.match(stdout, /^report of \d runs?: runs\.html$/m);
    assert.match(readFileSync(join(workplace.folder, "runs.html"), "utf8"), /^<!doctype html>/i);
  });

  it("predicts the samples of a file, one per line", LIMIT, async () => {
    const blank = JSON.stringify(Array.from({ length: 28 * 28 }, () => 0));
    workplace.write("blank.jsonl", `${blank}\n${blank}\n`);
    const { code, stdout, stderr } = await workplace.run(["predict", "run", "--data", "blank.jsonl"]);
    assert.equal(code, 0, stderr);
    assert.match(stdout, /^(\d {2}[\d.]+ %\n){2}$/);
  });

  it("refuses another task", RARE, async () => {
    const other = await workplace.run(["run", "tiny.json", "--out", "run", "--seed", "5"]);
    assert.equal(other.code, 2);
    assert.match(
      other.stderr,
      /^run holds a run of task "tiny" that this one .*: seed is 5 here and \d there\. .* --out\.\n$/,
    );
  });

  it("can't be made shorter than it is", RARE, async () => {
    const shorter = await workplace.run(["run", "tiny.json", "--out", "run", "--steps", "10"]);
    assert.equal(shorter.code, 2);
    assert.match(
      shorter.stderr,
      /^run holds a run that has trained 1280 samples already, more than the 640 of this command; [^\n]+\n$/,
    );
    assert.equal(JSON.parse(readFileSync(join(workplace.folder, "run", "task.json"), "utf8")).samples, 1280);
  });

  it("refuses another numerics class, and starts each refused worker only once", RARE, async () => {
    const args = ["--steps", "30", "--backend", "cpu", "--workers", "1"];
    const { code, stdout, stderr } = await workplace.run(["run", "tiny.json", "--out", "run", ...args]);
    assert.equal(code, 1);
    assert.match(
      stderr,
      /^No worker is left\. Worker 1 can't work\. The worker computes in another numerics class \(cpu .*\.\n$/,
    );
    assert.doesNotMatch(stdout, /started again/);
  });

  it("evaluates to the cluster's own result", LIMIT, async () => {
    const { code, stdout } = await workplace.run(["evaluate", "run", "--json"]);
    const { loss, accuracy } = summary.finalEvaluation;
    assert.equal(code, 0);
    assert.deepEqual(JSON.parse(stdout), { task: "tiny", step: 20, samples: 1_280, loss, accuracy, backend: "wasm" });
  });

  it("is evaluated on the backend asked for, and says so", RARE, async () => {
    const { code, stdout } = await workplace.run(["evaluate", "run", "--backend", "cpu"]);
    assert.equal(code, 0);
    assert.match(stdout, / \(computed on cpu\)\n$/);
    const none = await workplace.run(["evaluate", "run", "--backend", "tfjs-node"]);
    assert.equal(none.code, 1);
    assert.match(none.stderr, /^The backend tfjs-node is unavailable: TensorFlow is not installed; [^\n]+\n$/);
  });

  it("is exported to tfjs and to safetensors", RARE, async () => {
    const tfjs = await workplace.run(["export", "run", "--format", "tfjs", "--out", "model"]);
    assert.deepEqual([tfjs.code, tfjs.stdout, tfjs.stderr], [0, `${join("model", "model.json")}\n`, ""]);
    assert.ok(readdirSync(join(workplace.folder, "model")).length >= 2);
    const safetensors = await workplace.run(["export", "run", "--format", "safetensors"]);
    assert.equal(safetensors.stdout, `${join("run", "export", "step-20.safetensors")}\n`);
    const bytes = readFileSync(join(workplace.folder, safetensors.stdout.trim()));
    const header = JSON.parse(bytes.subarray(8, 8 + Number(bytes.readBigUInt64LE())).toString());
    assert.deepEqual(header.__metadata__, { task: "tiny", step: "20" });
  });

  it("is evaluated at an older checkpoint when the newest is damaged, and says so", LIMIT, async () => {
    const checkpoints = join(workplace.folder, "run", "checkpoints");
    const newest = join(checkpoints, readdirSync(checkpoints).sort().at(-1)!);
    truncateSync(join(newest, readdirSync(newest)[0]), 100);
    const { code, stdout, stderr } = await workplace.run(["evaluate", "run"]);
    assert.equal(code, 0);
    assert.match(
      stdout,
      /^tiny at step 10, on 200 test samples: loss [\d.]+, accuracy [\d.]+ % \(computed on wasm\)\n$/,
    );
    assert.match(stderr, /step-0*20.*An older checkpoint is evaluated\.\n$/);
  });
});

describe("isobatch samples", () => {
  it("prints each sample of an epoch once across its micro-batches", {
    timeout: 60_000,
    skip: !ALL,
  }, async () => {
    const workplace = openWorkplace();
    workplace.write("four.json", { ...TINY_TASK, dataset: { kind: "mnist", limit: 48, testLimit: 10 } });
    const numbers = await Promise.all(
      [0, 1, 2].map(async (n) => {
        const { stdout } = await workplace.run(["samples", "four.json", "--micro-batch", String(n)]);
        return stdout.trim().split("\n").map(Number);
      }),
    );
    workplace.close();
    assert.deepEqual(
      numbers.map(({ length }) => length),
      [16, 16, 16],
    );
    const sorted = numbers.flat().sort((a, b) => a - b);
    assert.deepEqual(
      sorted,
      Array.from({ length: 48 }, (_, i) => i),
    );
  });
});
