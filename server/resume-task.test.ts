/** The task with which a run continues, and that its record is true: a run of that record only leaves the same bits. */
import assert from "node:assert/strict";
import { readdirSync, readFileSync, rmSync, writeFileSync } from "node:fs";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { resolveTask, type Task, type TaskInput } from "../tasks/index.js";
import { type ResumeOptions, resumeTask } from "./resume-task.js";
import { taskHash } from "./task-hash.js";
import { KAPPA, serve, smallTask, temporaryFolder, work } from "./test-server.test.helper.js";

const DATA = { fingerprint: "data", trainFingerprint: "train" };
const taskOf = (fields: object): Task =>
  resolveTask("test", {
    name: "t",
    microBatchSize: 10,
    samples: 1000,
    learningRate: 0.5,
    loss: "meanSquaredError",
    model: {
      kind: "sequential",
      layers: [
        { layer: "Dense", units: 8 },
        { layer: "Dense", units: 1 },
      ],
    },
    dataset: { kind: "csv", file: "/data/std.csv", testFile: "/data/test.csv", label: "y", target: "numbers" },
    ...fields,
  } as TaskInput);
const cosine = (samples: number, fields: object = {}) => taskOf({ samples, schedule: { kind: "cosine", ...fields } });

function resume(recorded: Task, wanted: Task, options: Partial<ResumeOptions> & { samplesDone?: number } = {}): Task {
  const identity = {
    runId: "r",
    taskName: recorded.name,
    taskHash: taskHash(recorded, DATA.fingerprint),
    term: 1,
    numerics: null,
    version: "0",
    data: DATA,
  };
  return resumeTask({
    folder: "o",
    identity,
    recorded,
    wanted,
    data: DATA,
    samplesDone: 500,
    extend: false,
    ...options,
  });
}

describe("resumeTask()", () => {
  it("continues with the same task, and with another name, length and intervals", () => {
    const recorded = taskOf({});
    assert.deepEqual(resume(recorded, recorded), recorded);
    const longer = taskOf({ name: "u", samples: 2000, evaluateEverySamples: 7, checkpointsKept: 9, mixed: true });
    assert.deepEqual(resume(recorded, longer), longer);
  });

  it("continues runs that were started before tasks had the fields precision and wire", () => {
    const { precision, wire, ...earlier } = taskOf({});
    assert.deepEqual([precision, wire], ["float32", "float32"]);
    assert.deepEqual(resume(earlier as Task, taskOf({})), taskOf({}));
    const hashOf = (task: Task): string => taskHash(task, "data");
    assert.equal(hashOf(earlier as Task), hashOf(taskOf({})));
    const others = ["tf32", "bfloat16"].map((other) => hashOf(taskOf({ precision: other })));
    assert.equal(new Set([hashOf(taskOf({})), hashOf(taskOf({ wire: "bfloat16" })), ...others]).size, 4);
    const rounding = { code: "invalid_input", message: /precision is "bfloat16" here and "float32" there\./ };
    assert.throws(() => resume(earlier as Task, taskOf({ precision: "bfloat16" })), rounding);
  });

  const layer = (units: number) => [
    { layer: "Dense", units },
    { layer: "Dense", units: 1 },
  ];
  const differences: [string, object, string][] = [
    ["a number", { learningRate: 0.25 }, "learningRate is 0.25 here and 0.5 there"],
    ["what is missing in one", { clipNorm: 1 }, "clipNorm is 1 here and null there"],
    ["the products' precision", { precision: "tf32" }, 'precision is "tf32" here and "float32" there'],
    ["the wire's form", { wire: "bfloat16" }, 'wire is "bfloat16" here and "float32" there'],
    [
      "a nested field",
      { schedule: { kind: "constant", warmupSamples: 5 } },
      "schedule.warmupSamples is 5 here and 0 there",
    ],
    [
      "a layer's field",
      { model: { kind: "sequential", layers: layer(4) } },
      "model.layers[0].units is 4 here and 8 there",
    ],
    [
      "the kind only, where that differs",
      { optimizer: { name: "sqrt", epsilon: "kept" } },
      'optimizer.name is "sqrt" here and "invariant" there',
    ],
    [
      "several",
      { seed: 1, beta1: 0.5, freeze: ["a"] },
      'seed is 1 here and 0 there; beta1 is 0.5 here and 0.9 there; freeze[0] is "a" here and missing there',
    ],
  ];
  for (const [name, fields, words] of differences) {
    it(`names what differs: ${name}`, () => {
      const message = `o holds a run of task "t" that this one can't continue: ${words}. Use the same values as there, or choose another folder with --out.`;
      assert.throws(() => resume(taskOf({}), taskOf(fields)), { code: "invalid_input", message });
    });
  }

  it("names at most six differences, and how many more there are", () => {
    const fields = {
      seed: 1,
      learningRate: 1,
      beta1: 0.1,
      beta2: 0.2,
      epsilon: 0.3,
      weightDecay: 0.4,
      clipNorm: 5,
      microBatchSize: 1,
    };
    assert.throws(() => resume(taskOf({}), taskOf(fields)), { message: /; 2 more\. Use/ });
  });

  it("names the file that has changed, or the setting of the data", () => {
    const changed =
      (data: object, wanted = taskOf({})) =>
      () =>
        resume(taskOf({}), wanted, { data: { ...DATA, ...data } });
    assert.throws(changed({ fingerprint: "x", trainFingerprint: "y" }), {
      message: /: the data has changed: std\.csv\./,
    });
    assert.throws(changed({ fingerprint: "x" }), { message: /: the data has changed: test\.csv\./ });
    const dataset = { kind: "csv", file: "/elsewhere/std.csv", label: "y", target: "numbers", limit: 5 };
    assert.throws(changed({ fingerprint: "x" }, taskOf({ dataset })), {
      message: /: dataset\.limit is 5 here and null there\./,
    });
    // Elsewhere, but the same bytes.
    assert.deepEqual(resume(taskOf({}), taskOf({ dataset })), taskOf({ dataset }));
  });

  it("distinguishes changed data from a changed task.json, also if an older version kept no fingerprint", () => {
    const recorded = taskOf({});
    const identity = {
      runId: "r",
      taskName: "t",
      taskHash: taskHash(recorded, "data"),
      term: 1,
      numerics: null,
      version: "0",
    };
    assert.deepEqual(resume(recorded, recorded, { identity }), recorded);
    const other = { fingerprint: "x", trainFingerprint: "y" };
    assert.throws(() => resume(recorded, recorded, { identity, data: other }), {
      message: /has changed: std\.csv, test\.csv\./,
    });
    const edited = taskOf({ learningRate: 0.1 });
    const told = { ...identity, data: DATA };
    assert.throws(() => resume(edited, edited, { identity: told }), {
      code: "damaged",
      message: /^o\/task\.json is not the task/,
    });
  });

  it("does not make a run shorter than it is", () => {
    assert.throws(() => resume(taskOf({}), taskOf({ samples: 490 })), {
      code: "invalid_input",
      message: /^o holds a run that has trained 500 samples already, more than the 490 of this command; give more/,
    });
    assert.equal(resume(taskOf({}), taskOf({ samples: 500 })).samples, 500);
  });

  it("refuses to stretch a schedule that ends with the run, and says what would become of the learning rate", () => {
    // At half of a cosine the rate is half; at a quarter it is (1 + cos 45°)/2.
    const message =
      /^o holds a run of 1000 samples whose cosine schedule ends with it\. At 2000 samples the learning rate, after the 500 samples trained so far, would be 0\.4268 instead of 0\.25, .* --extend .* schedule\.totalSamples to 1000 /;
    assert.throws(() => resume(cosine(1000), cosine(2000)), { code: "invalid_input", message });
    assert.throws(() => resume(cosine(1000), cosine(600)), { message: /At 600 samples .* --extend/ });
  });

  it("keeps the past each time that it extends a run", () => {
    const once = resume(cosine(1000), cosine(2000), { extend: true });
    assert.deepEqual(once.schedule, { ...cosine(2000).schedule, earlier: [{ untilSamples: 500, totalSamples: 1000 }] });
    const identity = {
      ...{
        runId: "r",
        taskName: "t",
        taskHash: taskHash(cosine(1000), "data"),
        term: 1,
        numerics: null,
        version: "0",
        data: DATA,
      },
    };
    // The same command again, and without --extend.
    assert.deepEqual(resume(once, cosine(2000), { identity, samplesDone: 900 }), once);
    assert.throws(() => resume(once, cosine(3000), { identity, samplesDone: 900 }), { message: /--extend/ });
    const twice = resume(once, cosine(3000), { identity, samplesDone: 900, extend: true });
    const earlier = [
      { untilSamples: 500, totalSamples: 1000 },
      { untilSamples: 900, totalSamples: 2000 },
    ];
    assert.deepEqual(twice.schedule.earlier, earlier);
  });

  it("needs no --extend where the past stays as it was", () => {
    for (const [recorded, wanted, samplesDone] of [
      [taskOf({}), taskOf({ samples: 2000 }), 500],
      [cosine(1000), cosine(2000), 0],
      [cosine(1000, { warmupSamples: 500 }), cosine(2000, { warmupSamples: 500 }), 500],
      // The schedule's end is kept, wherever the run ends; at first it was the run's own.
      [cosine(1000), cosine(2000, { totalSamples: 1000 }), 500],
      [cosine(1000, { totalSamples: 700 }), cosine(2000, { totalSamples: 700 }), 500],
      [cosine(1000, { totalSamples: 700 }), cosine(700, { totalSamples: 700 }), 500],
    ] as const) {
      assert.deepEqual(resume(recorded, wanted, { samplesDone }), wanted);
    }
    assert.throws(() => resume(cosine(1000, { totalSamples: 700 }), cosine(2000)), {
      message: /schedule\.totalSamples is 2000 here and 700 there/,
    });
  });
});

describe("a run that is made longer with --extend", () => {
  const [SHORT, LONG] = [6, 10];
  const STEP_SAMPLES = KAPPA * 8;
  const schedule = { kind: "cosine" } as const;
  let short: Task;
  let long: Task;
  before(async () => {
    [short, long] = [await smallTask(SHORT, { schedule }), await smallTask(LONG, { schedule })];
  });
  const finish = async (test: TestContext, options: Parameters<typeof serve>[1]) => {
    const server = await serve(test, options);
    await work(test, server.address);
    return { summary: (await server.finished).summary, out: server.out };
  };
  const linesOf = (out: string, type: string) =>
    readFileSync(join(out, "metrics.jsonl"), "utf8")
      .split("\n")
      .filter((line) => line !== "")
      .map((line) => JSON.parse(line))
      .filter((line) => line.type === type);

  it("takes the learning rates that it says, leaves them alone when it goes back, and can be repeated from its record", async (test) => {
    const { out } = await finish(test, {
      task: { ...short, checkpointsKept: 9, checkpointEverySamples: 2 * STEP_SAMPLES },
    });
    await assert.rejects(serve(test, { task: long, out }), { code: "invalid_input", message: /--extend/ });
    assert.equal(JSON.parse(readFileSync(join(out, "task.json"), "utf8")).samples, SHORT * STEP_SAMPLES);
    const kept = { checkpointsKept: 9, checkpointEverySamples: 2 * STEP_SAMPLES };
    const { summary } = await finish(test, { task: { ...long, ...kept }, out, extend: true });
    assert.deepEqual(summary.extendedAtSamples, [SHORT * STEP_SAMPLES]);

    // η' of a step is the sum over its micro-batches, each read at its first sample.
    const end = (step: number) => (step < SHORT ? SHORT : LONG) * STEP_SAMPLES;
    for (const { step, learningRate } of linesOf(out, "step")) {
      let expected = 0;
      for (let j = 0; j < KAPPA; j++) {
        expected += (long.learningRate * (1 + Math.cos((Math.PI * (step * KAPPA + j) * 8) / end(step)))) / 2;
      }
      assert.ok(Math.abs(learningRate / expected - 1) < 1e-12, `step ${step}: ${learningRate}, not ${expected}`);
    }
    const [event] = linesOf(out, "event").filter((line) => line.event === "extended");
    assert.deepEqual([event.samples, event.from, event.to], [192, 192, 320]);
    assert.match(event.message, /ends after 320 samples instead of 192: .* learning rate is \S+ instead of 0$/);

    // The record is all that it takes, in another folder and from the first step on.
    const record = JSON.parse(readFileSync(join(out, "task.json"), "utf8")) as Task;
    const again = await finish(test, { task: record, out: temporaryFolder(test) });
    assert.equal(again.summary.stateHash, summary.stateHash);

    // Back before the point where it was extended: those steps come out as they were.
    const checkpoints = join(out, "checkpoints");
    for (const name of readdirSync(checkpoints)) {
      if (Number(name.slice("step-".length)) > SHORT - 4) rmSync(join(checkpoints, name), { recursive: true });
    }
    const back = await finish(test, { task: { ...long, ...kept }, out });
    assert.equal(back.summary.stateHash, summary.stateHash);
    assert.ok(back.summary.recomputedSteps >= SHORT);
  });

  it("is not extended by a start that fails, nor where somebody has changed its task.json", async (test) => {
    const { out } = await finish(test, { task: short });
    const path = join(out, "task.json");
    const other = await serve(test, { task: short });
    const extended = { task: long, out, extend: true, listen: other.address };
    await assert.rejects(serve(test, extended), { message: /in use/ });
    assert.deepEqual(JSON.parse(readFileSync(path, "utf8")), short);
    writeFileSync(path, readFileSync(path, "utf8").replace('"beta1": 0.9', '"beta1": 0.8'));
    await assert.rejects(serve(test, { task: short, out }), {
      code: "damaged",
      message: /task\.json is not the task with which this run started/,
    });
  });
});
