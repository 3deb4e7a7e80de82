import { canonicalNodes } from "../../../shared/sums/index.js";
import type { EvaluationLease, StepLease, WeightsVersion, Work, WorkerEvent } from "../../../worker/core/index.js";
import { gradient, treeSum } from "../arithmetic.js";
import { evaluationLoss } from "../formulas.js";
import { createJobs, DIED, type Job } from "./jobs.js";
import type { Surroundings } from "./process.js";
import type { Slots } from "./slots.js";
import type { Theta } from "./theta.js";

/** A worker's compute threads: they load and compute in turn, and may die. */
export interface Threads {
  load(weights: WeightsVersion, sequences: ReadonlyMap<number, number>): void;
  compute(work: Work): void;
  abandon(work: number): void;
  /** A thread dies: all are started again, and hold no weights. */
  die(): void;
  /** Fails unless they have these weights. */
  checkHeld(held: WeightsVersion): void;
  /** Where a computed lease's nodes are, from left to right. */
  slotsOf(work: number): readonly number[];
  readonly busy: boolean;
}

export function createThreads(surroundings: Surroundings, theta: Theta, slots: Slots): Threads {
  const { world, index, stream, later, drawMs } = surroundings;
  const { options } = world;
  let weights: readonly number[] | undefined;
  const jobs = createJobs(surroundings, () => {
    weights = undefined;
  });
  const results = new Map<number, readonly number[]>();

  /** A thread copies θ while time passes: its second half after the first. */
  function load(
    wanted: WeightsVersion,
    sequences: ReadonlyMap<number, number>,
    done: (event: WorkerEvent) => void,
  ): void {
    const moved = theta.watchFor(sequences);
    const half = Math.floor(options.chunks / 2);
    const copy = Array.from({ length: half }, (_, chunk) => theta.read(chunk));
    // Now and then a thread has no core for a while.
    const slow = options.faultsUntilMs > 0 && world.chance(stream, 0.03);
    const mine = jobs.generation;
    later(slow ? drawMs(8, 4_000) : drawMs(0.5, 8), () => {
      if (mine !== jobs.generation) return;
      for (let chunk = half; chunk < options.chunks; chunk++) copy.push(theta.read(chunk));
      weights = copy;
      const shards = moved();
      if (shards.length > 0) world.count("θ moved while it was loaded");
      else {
        for (const [chunk, value] of world.reference.at(wanted.term, wanted.version).weights.entries()) {
          if (copy[chunk] !== value) world.fail("wholeSteps", `${stream} holds a mixed version ${wanted.version}`);
        }
      }
      done({ kind: "loaded", moved: shards });
    });
  }

  function compute(job: Job, id: number, lease: StepLease, done: (event: WorkerEvent) => void): void {
    const { lo, hi, microBatches, firstMicroBatch, term, step } = lease;
    const nodes = canonicalNodes(lo, hi, microBatches);
    const mine = jobs.generation;
    slots.take(nodes.length, (taken) => {
      const giveBack = (): void => slots.release(taken);
      if (mine !== jobs.generation) return giveBack();
      if (weights === undefined) {
        giveBack();
        return done(withoutWeights(id));
      }
      const ms = drawMs(5, 60) * (hi - lo);
      const used = weights;
      const finish = (): void => {
        if (!job.abandoned) checkWeights(used, term, step);
        const failure = whatFails(job, lease);
        if (failure !== undefined) {
          giveBack();
          return done({ kind: "workFailed", work: id, ...failure });
        }
        for (const [i, node] of nodes.entries()) {
          const leafOf = (chunk: number) => (leaf: number) => gradient(firstMicroBatch + leaf, chunk, used);
          slots.write(taken[i], new Map(used.map((_, chunk) => [chunk, treeSum(leafOf(chunk), node.lo, node.hi)])));
        }
        results.set(id, taken);
        done({ kind: "computed", work: id, slots: taken, computeMs: ms, samplesMs: 0 });
      };
      whenComputed(job, ms, finish, giveBack);
    });
  }

  /** What something was computed with must be what it names. */
  function checkWeights(used: readonly number[], term: number, version: number, what = "has computed with"): void {
    if (world.reference.at(term, version).weights.some((value, chunk) => value !== used[chunk])) {
      world.fail("wholeSteps", `${stream} ${what} other weights than version ${version}`);
    }
  }

  /** New threads, after those that were to load some had died. */
  function withoutWeights(work: number): WorkerEvent {
    world.count("asked to compute without weights");
    return { kind: "workFailed", work, failure: { reason: DIED, transient: false }, threadsDied: true };
  }

  function whatFails(job: Job, { lo, hi, firstMicroBatch }: StepLease) {
    const because = (reason: string, nonFinite?: number) => ({ failure: { reason, transient: false }, nonFinite });
    if (job.abandoned && world.chance(stream, 0.5)) return because("it was abandoned");
    const microBatch = firstMicroBatch + lo;
    // Once a micro-batch: a second time would rightly end the run.
    if (world.chance(stream, 0.002) && !world.nonFinite.has(microBatch) && !job.abandoned) {
      world.nonFinite.add(microBatch);
      world.count("non-finite");
      return because("NaN", microBatch);
    }
    const { poisonedMicroBatch: poisoned = -1, failingWorker } = options;
    const fails = index === failingWorker || (poisoned >= microBatch && poisoned < firstMicroBatch + hi);
    return fails ? because(`index ${microBatch} is not in [0, 4) on ${stream}`) : undefined;
  }

  /** Looks now and then whether it was abandoned, as the real ones do between two micro-batches. */
  function whenComputed(job: Job, ms: number, done: () => void, dead: () => void): void {
    const mine = jobs.generation;
    const wait = (leftMs: number): void =>
      later(job.abandoned ? 0 : Math.min(20, leftMs), () => {
        if (mine !== jobs.generation) dead();
        else if (leftMs > 20 && !job.abandoned) wait(leftMs - 20);
        else done();
      });
    wait(ms);
  }

  function evaluate(job: Job, id: number, lease: EvaluationLease, done: (event: WorkerEvent) => void): void {
    const { firstBatch, endBatch, term, version } = lease;
    if (weights === undefined) return done(withoutWeights(id));
    const used = weights;
    whenComputed(
      job,
      drawMs(5, 60) * (endBatch - firstBatch),
      () => {
        if (!job.abandoned) checkWeights(used, term, version);
        const batches = Array.from({ length: endBatch - firstBatch }, (_, i) => firstBatch + i);
        const lossSums = batches.map((batch) => evaluationLoss(batch, used));
        done({ kind: "evaluated", work: id, lossSums, correct: batches.map(() => 1) });
      },
      () => {},
    );
  }

  return {
    load: (wanted, sequences) =>
      jobs.add({ work: undefined, abandoned: false, start: (done) => load(wanted, sequences, done) }),
    compute(work) {
      const job: Job = {
        work: work.id,
        abandoned: false,
        start(done) {
          if (work.kind === "step") compute(job, work.id, work.lease, done);
          else evaluate(job, work.id, work.lease, done);
        },
      };
      jobs.add(job);
    },
    abandon: jobs.abandon,
    die: jobs.die,
    checkHeld({ term, version }) {
      checkWeights(weights ?? [], term, version, "holds");
    },
    slotsOf: (work) => results.get(work)!,
    get busy() {
      return jobs.busy;
    },
  };
}
