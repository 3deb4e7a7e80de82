import type { WorkerEvent } from "../../../worker/core/index.js";
import type { Surroundings } from "./process.js";

/** The jobs of a worker's threads, one at a time; the threads may die over a job, and are started again. */
export interface Jobs {
  add(job: Job): void;
  abandon(work: number): void;
  /** A thread dies, and with it all jobs that were given to the threads. */
  die(): void;
  /** How often they have died. */
  readonly generation: number;
  readonly busy: boolean;
}

export interface Job {
  /** Undefined: weights are loaded. */
  readonly work: number | undefined;
  abandoned: boolean;
  start(done: (event: WorkerEvent) => void): void;
}

export const DIED = "Compute thread 0 ended.";

/** @param onDied called when the threads are gone, with all that they held */
export function createJobs({ later, drawMs, dispatch }: Surroundings, onDied: () => void): Jobs {
  let jobs: Job[] = [];
  let generation = 0;
  /** Whether they have finished a job since they were started. */
  let proven = true;
  /** They died while idle; the next job reports it. */
  let died = false;
  /** Deaths that have not been reported yet. */
  let failing = 0;

  function startNext(): void {
    const job = jobs[0];
    if (job === undefined) return;
    if (died) return fail(job);
    const mine = generation;
    job.start((event) => {
      if (mine !== generation || jobs[0] !== job) return;
      jobs.shift();
      if (event.kind === "computed" || event.kind === "evaluated") proven = true;
      startNext();
      dispatch(event);
    });
  }

  function add(job: Job): void {
    jobs.push(job);
    if (jobs.length === 1) startNext();
  }

  function fail(first: Job): void {
    const asked = jobs;
    jobs = [];
    died = false;
    generation++;
    onDied();
    failing++;
    later(drawMs(5, 100), () => {
      failing--;
      if (!proven) {
        const reason = "The compute threads died twice in a row.";
        return dispatch({ kind: "failed", error: new Error(reason), reported: { reason, transient: false } });
      }
      proven = false;
      for (const { work } of asked.length > 0 ? asked : [first]) {
        if (work === undefined) dispatch({ kind: "loadFailed", reason: DIED });
        else dispatch({ kind: "workFailed", work, failure: { reason: DIED, transient: false }, threadsDied: true });
      }
    });
  }

  return {
    add,
    abandon(work) {
      for (const job of jobs) if (job.work === work) job.abandoned = true;
    },
    die() {
      died = true;
      if (jobs.length > 0) fail(jobs[0]);
    },
    get generation() {
      return generation;
    },
    get busy() {
      return jobs.length > 0 || failing > 0;
    },
  };
}
