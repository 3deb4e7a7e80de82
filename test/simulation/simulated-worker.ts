import type { CoordinatorEffect, CoordinatorEvent, Lease } from "../../server/coordinator/core/index.js";
import type { StepPlan } from "../../shared/steps/index.js";
import { canonicalNodes } from "../../shared/sums/index.js";
import { gradient, treeSum } from "./arithmetic.js";
import { evaluationLoss, type World } from "./world.js";

/** A model of a worker: it holds weights chunk by chunk, computes what it has a lease for, and pushes. */
export interface SimulatedWorker {
  /** Changes each time it attaches, as the real one's id does. */
  readonly name: string;
  command(effect: CoordinatorEffect): void;
  kill(downMs: number): void;
  pause(forMs: number): void;
  breakCoordinatorStream(): void;
  breakPushes(): void;
  /** The worker can't continue: it says why, and its process ends. */
  failForGood(downMs: number): void;
  /** A compute thread has died: all are started anew, and hold no weights. */
  restartThreads(): void;
  shardBack(shard: number): void;
  coordinatorGone(): void;
  reattach(): void;
}

type Task =
  | { readonly kind: "step"; readonly lease: Lease; readonly plan: StepPlan }
  | { readonly kind: "evaluation"; readonly lease: Lease; readonly epoch: number; readonly version: number };

const HEARTBEAT_MS = 1_000;

export function createSimulatedWorker(index: number, world: World): SimulatedWorker {
  const { queue, options } = world;
  const stream = `worker ${index}`;
  let attachments = 0;
  let name = `${index}`;
  let up = true;
  let attached = false;
  let life = 0; // ends with the process
  let link = 0; // ends with the stream to the coordinator
  let pushes = 0; // ends with a broken push
  let pausedUntilMs = 0;
  let chunks = new Map<number, { epoch: number; version: number; value: number }>();
  let held: { epoch: number; version: number; weights: number[] } | undefined;
  let tasks: Task[] = [];
  let computing: Task | undefined;
  let threads = 0; // ends with the compute threads
  /** Reports on their way to the coordinator, which arrive in order. */
  let reports: { readonly link: number; readonly event: CoordinatorEvent }[] = [];
  const stopWatching: (() => void)[] = [];

  /** Runs when this process is neither dead nor paused; in order, since a pause delays all alike. */
  function later(delayMs: number, action: () => void): void {
    const mine = life;
    queue.after(delayMs, () => {
      if (mine !== life) return;
      if (queue.nowMs < pausedUntilMs) later(pausedUntilMs - queue.nowMs + 0.001, action);
      else action();
    });
  }

  function report(event: CoordinatorEvent): void {
    reports.push({ link, event });
    later(world.drawMs(stream, 0.1, 10), () => {
      const oldest = reports.shift()!;
      if (attached && oldest.link === link) world.toCoordinator(oldest.event);
    });
  }

  function attach(): void {
    if (!up || attached || !world.coordinatorUp) return;
    attached = true;
    link++;
    name = `${index}.${++attachments}`;
    tasks = [];
    held = undefined;
    chunks = new Map();
    const mine = link;
    world.toCoordinator({ kind: "workerAttached", worker: name, machine: `machine ${index}` });
    const beat = (): void => {
      if (!attached || mine !== link) return;
      report({ kind: "heartbeat", worker: name });
      later(HEARTBEAT_MS, beat);
    };
    beat();
    for (const shard of world.shards) watch(shard.index);
  }

  function watch(shard: number): void {
    if (!attached || !world.shards[shard].up) return;
    const mine = link;
    const stop = world.shards[shard].watch((published) =>
      later(world.drawMs(stream, 0.1, 20), () => {
        if (!attached || mine !== link) return;
        const before = chunks.get(published.chunk);
        const newer =
          before === undefined ||
          published.epoch > before.epoch ||
          (published.epoch === before.epoch && published.version > before.version);
        if (newer) chunks.set(published.chunk, published);
        takeWeights();
      }),
    );
    stopWatching.push(stop);
  }

  function takeWeights(): void {
    const first = chunks.get(0);
    if (first === undefined || chunks.size < options.chunks) return;
    const all = Array.from({ length: options.chunks }, (_, chunk) => chunks.get(chunk)!);
    if (all.some(({ epoch, version }) => epoch !== first.epoch || version !== first.version)) return;
    if (held?.epoch === first.epoch && held.version === first.version) return;
    for (const [chunk, { value }] of all.entries()) {
      if (value !== world.reference.at(first.epoch, first.version).weights[chunk])
        world.fail(`${name} holds a mixed version ${first.version}`);
    }
    held = { epoch: first.epoch, version: first.version, weights: all.map(({ value }) => value) };
    report({ kind: "weightsHeld", worker: name, epoch: held.epoch, version: held.version });
    work();
  }

  function work(): void {
    if (computing !== undefined || held === undefined) return;
    const { epoch, version } = held;
    const versionOf = (task: Task): number => (task.kind === "step" ? task.plan.step : task.version);
    const epochOf = (task: Task): number => (task.kind === "step" ? task.plan.epoch : task.epoch);
    tasks = tasks.filter((task) => epochOf(task) > epoch || (epochOf(task) === epoch && versionOf(task) >= version));
    const task = tasks.find((each) => epochOf(each) === epoch && versionOf(each) === version);
    if (task === undefined) return;
    tasks.splice(tasks.indexOf(task), 1);
    computing = task;
    const { weights } = held;
    const mine = threads;
    later(world.drawMs(stream, 5, 60) * (task.lease.hi - task.lease.lo), () => {
      if (mine !== threads) return;
      computing = undefined;
      if (task.kind === "evaluation") evaluate(task, weights);
      else compute(task, weights);
      work();
    });
  }

  function evaluate(task: Extract<Task, { kind: "evaluation" }>, weights: readonly number[]): void {
    const { lease, epoch, version } = task;
    const batches = Array.from({ length: lease.hi - lease.lo }, (_, i) => lease.lo + i);
    const lossSums = batches.map((batch) => evaluationLoss(batch, weights));
    const correct = batches.map(() => 1);
    report({ kind: "evaluated", worker: name, epoch, version, firstBatch: lease.lo, lossSums, correct });
  }

  function compute(task: Extract<Task, { kind: "step" }>, weights: readonly number[]): void {
    const { lease, plan } = task;
    const microBatch = plan.firstMicroBatch + lease.lo;
    // Once a micro-batch: a second time would rightly end the run.
    if (world.chance(stream, 0.002) && !world.nonFinite.has(microBatch)) {
      world.nonFinite.add(microBatch);
      world.count("non-finite");
      report({ kind: "leaseFailed", worker: name, lease: lease.lease, microBatch, nonFinite: true, reason: "NaN" });
      return;
    }
    const { poisonedMicroBatch: poisoned = -1, failingWorker } = options;
    if (index === failingWorker || (poisoned >= microBatch && poisoned < plan.firstMicroBatch + lease.hi)) {
      const reason = `index ${microBatch} is not in [0, 4) on ${name}`;
      report({
        kind: "leaseFailed",
        worker: name,
        lease: lease.lease,
        microBatch: undefined,
        nonFinite: false,
        reason,
      });
      return;
    }
    report({ kind: "leaseComputed", worker: name, lease: lease.lease, computeMs: 10 });
    const copies = world.chance(stream, 0.05) ? 2 : 1;
    if (copies === 2) world.count("duplicated push");
    for (let copy = 0; copy < copies; copy++) for (const shard of world.shards) push(shard.index, task, weights, lease);
  }

  /** One push stream: each message is sent once the one before is judged; a break loses the rest. */
  function push(
    shardIndex: number,
    task: Extract<Task, { kind: "step" }>,
    weights: readonly number[],
    lease: Lease,
  ): void {
    const { plan } = task;
    const shard = world.shards[shardIndex];
    const mine = pushes;
    const worker = name;
    const messages = canonicalNodes(lease.lo, lease.hi, plan.microBatches).flatMap((node) =>
      shard.chunks.map((chunk) => ({ ...node, chunk })),
    );
    const failed = (reason: string, transient = false): void => {
      const { lease: number } = lease;
      report({
        kind: "leaseFailed",
        worker,
        lease: number,
        microBatch: undefined,
        nonFinite: false,
        reason,
        transient,
      });
    };
    const next = (): void => {
      const message = messages.shift();
      if (message === undefined) return;
      later(world.drawMs(stream, 0.1, 15), () => {
        if (mine !== pushes || !shard.up) {
          world.count("push lost");
          return failed("the push broke", true);
        }
        const leafSum = (leaf: number): number => gradient(plan.firstMicroBatch + leaf, message.chunk, weights);
        const sums = treeSum(leafSum, message.lo, message.hi);
        const losses = new Array<number>(message.hi - message.lo).fill(1);
        const offered = { ...message, worker, epoch: plan.epoch, step: plan.step, losses };
        shard.offer(offered, sums, (verdict) => {
          if (verdict.verdict === "refused") failed(verdict.reason);
          else next();
        });
      });
    };
    next();
  }

  function detach(): void {
    attached = false;
    link++;
    for (const stop of stopWatching.splice(0)) stop();
  }

  const api: SimulatedWorker = {
    get name() {
      return name;
    },
    command(effect) {
      const mine = link;
      later(world.drawMs(stream, 0.1, 10), () => {
        if (!attached || mine !== link) return;
        // Whoever started it starts it again.
        if (effect.kind === "drain") return api.kill(world.drawMs(stream, 200, 2_000));
        if (effect.kind === "lease") tasks.push({ kind: "step", lease: effect.lease, plan: effect.plan });
        if (effect.kind === "evaluate") {
          tasks.push({ kind: "evaluation", lease: effect.lease, epoch: effect.epoch, version: effect.version });
        }
        work();
      });
    },
    kill(downMs) {
      if (!up) return;
      up = false;
      life++;
      computing = undefined;
      reports = [];
      const wasAttached = attached;
      detach();
      if (wasAttached) world.toCoordinator({ kind: "workerLost", worker: name, reason: "killed" });
      queue.after(downMs, () => {
        up = true;
        attach();
      });
    },
    failForGood(downMs) {
      if (!attached) return;
      world.toCoordinator({ kind: "workerFailed", worker: name, reason: `${name} has no memory` });
      api.kill(downMs);
    },
    pause(forMs) {
      pausedUntilMs = Math.max(pausedUntilMs, queue.nowMs + forMs);
    },
    breakCoordinatorStream() {
      if (!attached) return;
      detach();
      world.toCoordinator({ kind: "workerLost", worker: name, reason: "stream broken" });
      later(world.drawMs(stream, 10, 500), attach);
    },
    breakPushes() {
      pushes++;
    },
    restartThreads() {
      if (!attached) return;
      const broken = computing;
      threads++;
      computing = undefined;
      held = undefined;
      report({ kind: "weightsLost", worker: name });
      takeWeights();
      if (broken?.kind === "evaluation") {
        report({ kind: "evaluationFailed", worker: name, version: broken.version, reason: "a thread died" });
      } else if (broken !== undefined) {
        const { lease } = broken.lease;
        report({
          kind: "leaseFailed",
          worker: name,
          lease,
          microBatch: undefined,
          nonFinite: false,
          reason: "a thread died",
        });
      }
    },
    shardBack: (shard) => watch(shard),
    coordinatorGone: detach,
    reattach: () => later(world.drawMs(stream, 1, 200), attach),
  };
  queue.after(0, attach);
  return api;
}
