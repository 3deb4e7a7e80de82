import type { CoordinatorEffect } from "../../../server/coordinator/core/index.js";
import { createCoreHost } from "../../../shared/core-host.js";
import { IsobatchError } from "../../../shared/errors.js";
import { createWorkerCore, type WorkerCore, type WorkerEffect, type WorkerEvent } from "../../../worker/core/index.js";
import type { World } from "../world.js";
import { createPushes } from "./pushes.js";
import { createSlots } from "./slots.js";
import { createStream } from "./stream.js";
import { createTheta } from "./theta.js";
import { createThreads } from "./threads.js";

/** One life of a worker's process: the real core in a shell of simulated network, memory and threads. */
export interface WorkerProcess {
  readonly core: WorkerCore;
  /** Its name for the coordinator, a new one for each attachment; empty while it is not attached. */
  readonly name: string;
  command(effect: CoordinatorEffect): void;
  dispatch(event: WorkerEvent): void;
  pause(forMs: number): void;
  /** Ends it: nothing of it happens any more. */
  kill(reason: string): void;
  /** The coordinator's process is gone, or the connection to it: both ends notice. */
  loseStream(): void;
  breakPushes(): void;
  restartThreads(): void;
  shardGone(shard: number): void;
}

/** What the parts of a process have in common. */
export interface Surroundings {
  readonly world: World;
  /** The name of its stream of random numbers. */
  readonly stream: string;
  readonly index: number;
  /** Runs when this process is neither dead nor paused. */
  later(delayMs: number, action: () => void): void;
  drawMs(minMs: number, maxMs: number): number;
  dispatch(event: WorkerEvent): void;
}

/** How long it waits for a server that is lost, or not there at first. */
const WAIT_MS = 60_000;

/** @param onEnded called when the process ends by itself. */
export function createProcess(
  { index, world, attachments }: { index: number; world: World; attachments: { count: number } },
  onEnded: () => void,
): WorkerProcess {
  const { queue, options } = world;
  const stream = `worker ${index}`;
  let dead = false;
  let pausedUntilMs = 0;
  let attaching: { cancelled: boolean } | undefined;
  let memoryIsNew = true;

  /** In order, since a pause delays all alike. */
  function later(delayMs: number, action: () => void): void {
    queue.after(delayMs, () => {
      if (dead) return;
      if (queue.nowMs < pausedUntilMs) later(pausedUntilMs - queue.nowMs + 0.001, action);
      else action();
    });
  }

  const core = createWorkerCore({ connectWaitMs: WAIT_MS, reconnectWaitMs: WAIT_MS });
  const host = createCoreHost<WorkerEvent, WorkerEffect>({
    handle(event) {
      world.trace(`${stream} ${event.kind}`);
      world.count(`worker ${event.kind}`);
      const events = options.bug?.workerEvent?.(event, stream) ?? [event];
      const effects = events.flatMap((each) => core.handle(each, queue.nowMs));
      return effects.flatMap((effect) => options.bug?.workerEffect?.(effect, stream) ?? [effect]);
    },
    perform,
    onFailed(error) {
      throw error;
    },
  });
  const { dispatch } = host;
  const drawMs = (minMs: number, maxMs: number): number => world.drawMs(stream, minMs, maxMs);
  const surroundings: Surroundings = { world, stream, index, later, drawMs, dispatch };
  const slots = createSlots(surroundings);
  const theta = createTheta(surroundings);
  const threads = createThreads(surroundings, theta, slots);
  const pushes = createPushes(surroundings, slots);
  const link = createStream(surroundings);

  function attach(afterMs: number, untilMs: number): void {
    const attempt = { cancelled: false };
    attaching = attempt;
    const failed = (retriable: boolean, answered: boolean): void => {
      const error = new IsobatchError("unavailable", "The server is away.");
      dispatch({ kind: "attachFailed", error, retriable, answered });
    };
    const tryToReach = (): void => {
      if (attempt.cancelled) return failed(false, false);
      if (!world.coordinatorUp) {
        return queue.nowMs < untilMs ? later(drawMs(10, 300), tryToReach) : failed(true, false);
      }
      if (world.chance(stream, 0.05)) return failed(true, true);
      link.open(`${index}.${++attachments.count}`);
      dispatch({ kind: "attached", attachment: { ...theta.shape, slots: slots.allotted, newMemory: memoryIsNew } });
      memoryIsNew = false;
    };
    later(afterMs + drawMs(1, 200), tryToReach);
  }

  /** Waits until nothing is in flight any more. */
  function detach(): void {
    theta.close();
    const settle = (): void => {
      if (threads.busy || pushes.busy) return later(1, settle);
      dispatch({ kind: "detached" });
    };
    settle();
  }

  function end(): void {
    link.close("its process has ended");
    dead = true;
    onEnded();
  }

  function perform(effect: WorkerEffect): void {
    switch (effect.kind) {
      case "attach":
        return attach(effect.afterMs, effect.untilMs);
      case "cancelAttach":
        if (attaching !== undefined) attaching.cancelled = true;
        return;
      case "detach":
        return detach();
      case "closeStream":
        return link.closeStream();
      case "end":
        return end();
      case "report":
        if (effect.report.kind === "weightsHeld") threads.checkHeld(effect.report);
        return link.report(effect.report);
      case "watch":
        return theta.watch(effect.shard, effect.afterMs);
      case "takeChunk":
        return theta.take(effect.shard);
      case "skipChunk":
        return theta.skip(effect.shard);
      case "load":
        return threads.load(effect.weights, effect.sequences);
      case "compute":
        return threads.compute(effect.work);
      case "abandon":
        return threads.abandon(effect.work);
      case "push":
        return pushes.push(effect.work, threads.slotsOf(effect.work.id), effect.shard, effect.afterMs, effect.lend);
      case "cancelPush":
        return pushes.cancel(effect.work);
      case "releaseSlots":
        return slots.release(effect.slots);
      case "prefetch":
      case "prefetchSteps":
      case "prepare":
      case "note":
        return;
    }
  }

  later(0, () => dispatch({ kind: "start" }));
  return {
    core,
    get name() {
      return link.name;
    },
    command: link.command,
    dispatch: (event) => later(0, () => dispatch(event)),
    pause(forMs) {
      pausedUntilMs = Math.max(pausedUntilMs, queue.nowMs + forMs);
    },
    kill(reason) {
      dead = true;
      link.close(reason);
    },
    loseStream: () => link.lose(),
    breakPushes() {
      pushes.breakAll();
      theta.breakNear();
    },
    restartThreads: () => threads.die(),
    shardGone(shard) {
      theta.shardGone(shard);
      pushes.breakAll(shard);
    },
  };
}
