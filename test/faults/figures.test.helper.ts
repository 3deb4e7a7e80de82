/**
 * How the result of every fault is judged: it has the bits of the undisturbed run, a ledger with each micro-batch once,
 * and at most one checkpoint interval computed again. The figures go to the file that ISOBATCH_FAULTS_FIGURES names,
 * from which `npm run faults` makes a table.
 */
import assert from "node:assert/strict";
import { appendFileSync, readFileSync } from "node:fs";
import { join } from "node:path";
import { setTimeout as sleep } from "node:timers/promises";
import {
  LEDGER_FILE,
  type LedgerLine,
  METRICS_FILE,
  type MetricsLine,
  readJsonLines,
} from "../../server/record/index.js";
import { layoutFromJson } from "../../shared/layout/index.js";
import { broken } from "../promises.test.helper.js";
import { type Program, type Scene, until, withScene } from "./programs.test.helper.js";

/** Real images and real gradients, so few that a run takes seconds; a checkpoint every 20 steps. */
export const TASK = {
  extends: "mnist",
  name: "faults",
  model: {
    kind: "sequential",
    layers: [
      { layer: "Flatten", inputShape: [28, 28, 1] },
      { layer: "Dense", units: 16, activation: "relu" },
      { layer: "Dense", units: 10 },
    ],
  },
  dataset: { kind: "mnist", limit: 2000, testLimit: 200 },
  microBatchSize: 8,
  microBatchesPerStep: 4,
  samples: 160 * 4 * 8,
  schedule: { kind: "constant" },
  evaluateEverySamples: 1e9,
  checkpointEverySamples: 20 * 4 * 8,
};
export const STEPS = 160;
export const CHECKPOINT_STEPS = 20;
const POLL_MS = 5;

const undisturbed = new Map<number, Promise<string>>();

/** The stateHash of the undisturbed run of this many steps on one worker; each length is run once per process. */
export function undisturbedHash(steps = STEPS): Promise<string> {
  const known = undisturbed.get(steps);
  if (known !== undefined) return known;
  const hash = withScene(TASK, async (scene) => {
    await completed(startRun(scene, { workers: 1, steps }));
    return readSummary(scene.out).stateHash;
  });
  undisturbed.set(steps, hash);
  return hash;
}

export interface RunOptions {
  readonly workers?: number;
  readonly shards?: number;
  readonly steps?: number;
  readonly env?: NodeJS.ProcessEnv;
}

/** `isobatch run` on the scene. */
export function startRun(scene: Scene, { workers = 2, shards = 1, steps = STEPS, env }: RunOptions = {}): Program {
  const numbers = ["--workers", `${workers}`, "--shards", `${shards}`, "--steps", `${steps}`];
  return scene.start(
    ["run", scene.task, "--out", scene.out, "--compute-threads", "1", "--backend", "wasm", ...numbers],
    env,
  );
}

/** `isobatch server` on the scene; resolves to its address once it prints how to join. */
export async function startServer(
  scene: Scene,
  options: { port?: number; workers?: number; steps?: number; env?: NodeJS.ProcessEnv } = {},
) {
  const { port = 0, workers = 1, steps = STEPS, env } = options;
  const numbers = ["--listen", `127.0.0.1:${port}`, "--workers-awaited", `${workers}`, "--steps", `${steps}`];
  const program = scene.start(["server", scene.task, "--out", scene.out, ...numbers], env);
  const joinLine = /worker join (127\.0\.0\.1:\d+)/;
  await until(() => joinLine.test(program.output), "the server's join line", [program]);
  return { program, address: joinLine.exec(program.output)![1] };
}

/** `isobatch worker join` at the scene's server. */
export function startWorker(scene: Scene, address: string, env?: NodeJS.ProcessEnv): Program {
  const options = ["--token-file", join(scene.out, "token"), "--compute-threads", "1", "--reconnect-for", "60"];
  return scene.start(["worker", "join", address, "--backend", "wasm", ...options], env);
}

/** Waits until the program has ended with exit code 0. */
export async function completed(program: Program): Promise<void> {
  const { code, signal } = await program.exited;
  assert.equal(code, 0, `ended with ${code ?? signal}: ${program.output.slice(-3_000)}`);
}

/** How far a run has got. */
export interface Progress {
  /** How often it has been restored from a checkpoint. */
  readonly restores: number;
  /** Steps committed. */
  readonly steps: number;
  /** Whether a step has been committed since it was last restored. */
  readonly moving: boolean;
}

export function progressOf(out: string): Progress {
  let progress = { restores: 0, steps: 0, moving: false };
  for (const line of readJsonLines<MetricsLine>(join(out, METRICS_FILE))) {
    if (line.type === "step") progress = { ...progress, steps: line.step + 1, moving: true };
    if (line.type !== "event" || line.event !== "restored") continue;
    progress = { ...progress, restores: progress.restores + 1, moving: false };
  }
  return progress;
}

/**
 * The steps that a crash now may cost: those since the newest checkpoint that was reported as written. These are
 * never more than an interval, except for the steps since the last boundary while its checkpoint is being written.
 */
export function atRisk(out: string): number {
  let [committed, reported] = [0, 0];
  for (const line of readJsonLines<MetricsLine>(join(out, METRICS_FILE))) {
    if (line.type === "step") committed = line.step + 1;
    if (line.type === "event" && ["checkpoint", "restored"].includes(line.event)) reported = Number(line.step);
  }
  const steps = committed - reported;
  const risk = broken("fewStepsLost", `${steps} steps are committed since the newest checkpoint.`);
  assert.ok(steps <= CHECKPOINT_STEPS + (committed % CHECKPOINT_STEPS), risk);
  return steps;
}

export async function untilSteps(scene: Scene, steps: number, during: readonly Program[]): Promise<void> {
  await until(() => progressOf(scene.out).steps >= steps, `step ${steps}`, during);
}

/**
 * Called at the moment of a fault; resolves to the milliseconds from there to the next committed step.
 * @param rollback whether the fault sends the run back to a checkpoint: then steps before that do not count
 */
export async function recovery(scene: Scene, rollback: boolean): Promise<number> {
  const at = performance.now();
  const before = progressOf(scene.out);
  for (;;) {
    await sleep(POLL_MS);
    if (performance.now() - at > 120_000) {
      throw new Error(broken("advances", "No step was committed within 120 s of the fault."));
    }
    const now = progressOf(scene.out);
    const moved = rollback ? now.restores > before.restores && now.moving : now.steps > before.steps;
    if (moved) return performance.now() - at;
  }
}

export interface Judgement {
  /** The kind of fault, for the table. */
  readonly fault: string;
  readonly shards?: number;
  readonly expected: string;
  /** The most steps that may have been computed again. */
  readonly recomputedMax: number;
  readonly recoveryMs?: number;
}

/** Judges a run that has ended with exit code 0. */
export function judge({ out }: Scene, judgement: Judgement): void {
  const { fault, shards = 1, expected, recomputedMax, recoveryMs } = judgement;
  const { stateHash, recomputedSteps, steps } = readSummary(out);
  const same = stateHash === expected;
  const file = process.env.ISOBATCH_FAULTS_FIGURES;
  if (file) appendFileSync(file, `${JSON.stringify({ fault, same, steps, recomputedSteps, recoveryMs })}\n`);
  assert.equal(stateHash, expected, broken("sameBits", `After "${fault}" the stateHash is not the undisturbed run's.`));
  checkLedger(out, steps, shards);
  checkMetrics(out, steps);
  const again = `After "${fault}" ${recomputedSteps} steps were computed again; at most ${recomputedMax} may be.`;
  assert.ok(recomputedSteps <= recomputedMax, broken("fewStepsLost", again));
}

/** Every (step, micro-batch) is there once, for each shard and chunk. */
export function checkLedger(out: string, steps: number, shards: number): void {
  const lines = [...readJsonLines<LedgerLine>(join(out, LEDGER_FILE))];
  const chunks = layoutFromJson(readFileSync(join(out, "layout.json"), "utf8")).chunks.length;
  const expected = Array.from({ length: steps }, (_, step) => step);
  const once = (where: string): string => broken("countedOnce", `${LEDGER_FILE}: ${where}`);
  for (let shard = 0; shard < shards; shard++) {
    const ofShard = lines.filter((line) => line.shard === shard);
    assert.deepEqual(
      ofShard.map(({ step }) => step),
      expected,
      broken("countedOnce", `The ledger of shard ${shard} does not have each step once, in order.`),
    );
  }
  assert.equal(lines.length, steps * shards, once("There are more lines than steps."));
  for (const step of expected) {
    let nextChunk = 0;
    for (const { shard, merged } of lines.slice(step * shards, (step + 1) * shards)) {
      for (const { chunks: span, ranges } of merged) {
        assert.equal(span[0], nextChunk, once(`Step ${step}, shard ${shard}.`));
        nextChunk = span[1];
        let nextLeaf = 0;
        for (const [lo, hi] of ranges) {
          assert.equal(lo, nextLeaf, once(`Step ${step}, chunk ${span[0]}.`));
          nextLeaf = hi;
        }
        assert.equal(nextLeaf, TASK.microBatchesPerStep, once(`Step ${step}, chunk ${span[0]}.`));
      }
    }
    assert.equal(nextChunk, chunks, once(`Step ${step}.`));
  }
}

/** Each step has one line, in order. */
function checkMetrics(out: string, steps: number): void {
  const lines = [...readJsonLines<MetricsLine>(join(out, METRICS_FILE))];
  assert.deepEqual(
    lines.flatMap((line) => (line.type === "step" ? [line.step] : [])),
    Array.from({ length: steps }, (_, step) => step),
    broken("countedOnce", `${METRICS_FILE} does not have each step once, in order.`),
  );
}

export function readSummary(out: string): { stateHash: string; recomputedSteps: number; steps: number } {
  return JSON.parse(readFileSync(join(out, "summary.json"), "utf8"));
}

/** The workers that took part in the steps from `step` on. */
export function workersSince(out: string, step: number): Set<string> {
  const names = new Set<string>();
  for (const line of readJsonLines<LedgerLine>(join(out, LEDGER_FILE))) {
    if (line.step < step) continue;
    for (const { ranges } of line.merged) for (const [, , worker] of ranges) names.add(worker);
  }
  return names;
}
