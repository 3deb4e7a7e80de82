import type { World } from "./world.js";

/**
 * The coordinator's record of steps: a committed step is recorded a little later, or when something depends on it, and
 * what is recorded survives a power cut once it is synced.
 */
export interface SimulatedRecord {
  /** Recorded steps. */
  readonly steps: number;
  committed(step: number): void;
  /** Records what is not recorded yet. */
  catchUp(): void;
  /** All that is recorded survives a power cut, up to this step. */
  sync(step: number): void;
  cutBack(step: number): void;
  /** The coordinator dies: what is not recorded is forgotten. */
  forget(): void;
  /** The power is cut: some of what was not synced is lost. @param draw draws a whole number in [0, n) */
  cutPower(draw: (n: number) => number): void;
}

/** Committed steps that are not recorded yet, at most. */
const UNRECORDED_MAX = 4;

export function createSimulatedRecord(world: Pick<World, "queue" | "drawMs" | "count">): SimulatedRecord {
  let [committed, recorded, synced, life] = [0, 0, 0, 0];
  const catchUp = (): void => {
    recorded = committed;
  };
  return {
    get steps() {
      return recorded;
    },
    committed(step) {
      committed = step + 1;
      if (committed > recorded + UNRECORDED_MAX) recorded = step;
      const mine = life;
      world.queue.after(world.drawMs("record", 0, 50), () => {
        if (mine === life) catchUp();
      });
    },
    catchUp,
    sync(step) {
      catchUp();
      synced = Math.max(synced, step);
    },
    cutBack(step) {
      committed = recorded = synced = step;
    },
    forget() {
      life++;
      if (committed > recorded) world.count("committed steps that were never recorded");
      committed = recorded;
    },
    cutPower(draw) {
      committed = recorded = synced + draw(recorded - synced + 1);
    },
  };
}
