/** What a run is doing when it does not compute steps, in a few words. Pure. */
import { plural } from "./format.js";

export interface ActivityInput {
  /** As status shows it. */
  readonly phase: string;
  /** Steps that are done. */
  readonly step: number;
  readonly workers: readonly { readonly state: string }[];
  /** Worker processes that the command has started itself; 0: others join. */
  readonly workersStarted: number;
}

/** Undefined while steps are computed. */
export function activityOf({ phase, step, workers, workersStarted }: ActivityInput): string | undefined {
  if (phase === "ended") return "finishing";
  if (phase === "gathering") return "waiting for the server's processes";
  if (phase === "restoring") return "loading the newest checkpoint";
  if (workers.length === 0) {
    return workersStarted > 0
      ? `starting ${plural(workersStarted, "worker process", "worker processes")}`
      : "waiting for workers to join";
  }
  const ready = workers.filter(({ state }) => state !== "joining" && state !== "loading weights");
  if (ready.length === 0) return workers.length === 1 ? "the worker loads the model" : "the workers load the model";
  const missing = workersStarted - workers.length;
  if (phase === "evaluating") return step === 0 ? "evaluating the untrained model" : "evaluating";
  if (step > 0) return undefined;
  return missing > 0 ? `waiting for ${plural(missing, "more worker")}` : "computing the first step";
}

/** Shorter activities are shown without a time. */
const TIMED_FROM_SECONDS = 3;

/** Adds to an activity for how long it has been going on; called at each redraw. */
export function createActivityClock(): (activity: string | undefined, nowMs: number) => string | undefined {
  let current: string | undefined;
  let sinceMs = 0;
  return (activity, nowMs) => {
    if (activity !== current) [current, sinceMs] = [activity, nowMs];
    const seconds = Math.floor((nowMs - sinceMs) / 1_000);
    return activity === undefined || seconds < TIMED_FROM_SECONDS ? activity : `${activity} (${seconds} s)`;
  };
}
