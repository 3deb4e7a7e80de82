import type { CoordinatorEffect } from "../../server/coordinator/core/index.js";
import { createProcess } from "./worker/process.js";
import type { World } from "./world.js";

/** A worker on its own machine, whose process is started again whenever it has ended. */
export interface SimulatedWorker {
  /** Changes each time it attaches, as the real one's id does. */
  readonly name: string;
  command(effect: CoordinatorEffect): void;
  kill(downMs: number): void;
  pause(forMs: number): void;
  breakCoordinatorStream(): void;
  breakPushes(): void;
  /** Asks it to leave: it finishes what it computes, ends, and is started again later. */
  leave(downMs: number): void;
  /** The worker can't continue: it says why, and its process ends. */
  failForGood(): void;
  /** A compute thread has died. */
  restartThreads(): void;
  /** The shard's process is gone. */
  shardGone(shard: number): void;
  coordinatorGone(): void;
}

export function createSimulatedWorker(index: number, world: World): SimulatedWorker {
  const { queue } = world;
  const attachments = { count: 0 };
  let downMs: number | undefined;
  let process = start();
  let up = true;

  function start() {
    return createProcess({ index, world, attachments }, () => {
      up = false;
      startAfter(downMs ?? world.drawMs(`worker ${index}`, 200, 2_000));
    });
  }

  function startAfter(ms: number): void {
    downMs = undefined;
    queue.after(ms, () => {
      up = true;
      process = start();
    });
  }

  function loseStream(): void {
    const { name } = process;
    process.loseStream();
    if (name !== "") world.toCoordinator({ kind: "workerLost", worker: name, reason: "stream broken" });
  }

  return {
    get name() {
      return up ? process.name : "";
    },
    command: (effect) => process.command(effect),
    kill(ms) {
      if (!up) return;
      up = false;
      process.kill("killed");
      startAfter(ms);
    },
    pause: (forMs) => process.pause(forMs),
    breakCoordinatorStream: loseStream,
    breakPushes: () => process.breakPushes(),
    leave(ms) {
      if (!up) return;
      downMs = ms;
      process.dispatch({ kind: "leave", reason: "SIGTERM" });
    },
    failForGood() {
      // Errors that differ only in numbers are the same to the coordinator; if all workers met one, it would be the run's.
      const reason = `${["the disk", "memory", "the driver"][index % 3]} is broken`;
      if (up) process.dispatch({ kind: "failed", error: new Error(reason), reported: { reason, transient: false } });
    },
    restartThreads: () => process.restartThreads(),
    shardGone: (shard) => process.shardGone(shard),
    coordinatorGone: () => process.loseStream(),
  };
}
