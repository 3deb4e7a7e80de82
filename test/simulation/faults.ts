import type { SimulatedCoordinator } from "./simulated-coordinator.js";
import type { World } from "./world.js";

/** What goes wrong in a world: one fault after another, drawn by the seed. */
export interface Faults {
  /** The first fault comes after a while, the last one before `faultsUntilMs`. */
  start(): void;
  /** A shard has just updated the first of its chunks in a step. */
  partlyApplied(): void;
}

/** @param draw draws a whole number in [0, n) */
export function createFaults(world: World, coordinator: SimulatedCoordinator, draw: (n: number) => number): Faults {
  const { queue, options, shards, workers } = world;
  const delayMs = (minMs: number, maxMs: number): number => world.drawMs("faults", minMs, maxMs);
  const pick = <T>(items: readonly T[]): T => items[draw(items.length)];
  /** A fault that waits for its moment. */
  let atPartlyApplied: (() => void) | undefined;

  function killCoordinator(): void {
    if (!coordinator.up) return;
    coordinator.kill();
    for (const shard of shards) shard.coordinatorGone();
    for (const worker of workers) worker.coordinatorGone();
    queue.after(delayMs(10, 3_000), coordinator.start);
  }

  const faults: Record<string, () => void> = {
    "worker killed": () => pick(workers).kill(delayMs(10, 3_000)),
    "worker gone for long": () => pick(workers).kill(delayMs(3_000, 15_000)),
    "worker paused": () => pick(workers).pause(delayMs(100, 20_000)),
    "worker's stream broken": () => pick(workers).breakCoordinatorStream(),
    "all workers killed during a step": () => {
      atPartlyApplied = () => {
        for (const worker of workers) worker.kill(delayMs(10, 3_000));
      };
    },
    "worker asked to leave": () => pick(workers).leave(delayMs(200, 3_000)),
    "worker fails for good": () => pick(workers).failForGood(),
    "threads restarted": () => pick(workers).restartThreads(),
    "push broken": () => pick(workers).breakPushes(),
    "shard killed": () => pick(shards).kill(delayMs(10, 3_000)),
    "shard's stream broken": () => pick(shards).breakCoordinatorStream(),
    "checkpoint damaged": () => pick(shards).damageNewestCheckpoint(),
    "coordinator killed": killCoordinator,
    "everything killed": () => {
      killCoordinator();
      coordinator.cutPower(draw);
      for (const shard of shards) shard.kill(delayMs(10, 3_000));
      for (const worker of workers) worker.kill(delayMs(10, 3_000));
    },
  };

  function next(): void {
    if (queue.nowMs >= options.faultsUntilMs || coordinator.outcome !== undefined) return;
    const name = pick(Object.keys(faults));
    world.count(`fault: ${name}`);
    world.trace(`fault: ${name}`);
    faults[name]();
    queue.after(delayMs(0, 2 * options.faultEveryMs), next);
  }

  return {
    start() {
      if (options.faultsUntilMs > 0) queue.after(delayMs(0, options.faultEveryMs), next);
    },
    partlyApplied() {
      if (atPartlyApplied !== undefined) queue.after(0, atPartlyApplied);
      atPartlyApplied = undefined;
    },
  };
}
