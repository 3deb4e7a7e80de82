/**
 * A cluster of any size in virtual time. The decisions are real: the coordinator and every shard run their own cores. Only time is
 * simulated: of messages on threads, by costs that were measured on real processes; of bytes on links, by the network's rate; of
 * computing, by a given time. There are no faults and no numbers.
 *
 * A shard's slice counts as a few chunks, whatever its size, since its time follows from its bytes. Shard 0 shares its thread
 * and its link with the coordinator, as it does in a run.
 */
import {
  type CoordinatorEffect,
  type CoordinatorEvent,
  createCoordinatorCore,
} from "../../server/coordinator/core/index.js";
import {
  createShardCore,
  type OfferedChunk,
  type OfferedNode,
  type ShardEffect,
  type ShardEvent,
  slotsMax,
} from "../../server/shard/core/index.js";
import type { StepCoefficients, StepPlan } from "../../shared/steps/index.js";
import { canonicalNodes, type Interval } from "../../shared/sums/index.js";
import { createQueue, type Queue } from "../../test/simulation/queue.js";
import { createLink, createThread, type Link, type Network, send, type Thread } from "./resources.js";

/** Milliseconds on one thread. */
export interface Costs {
  /** The coordinator's cost of a lease and all that belongs to it: samples, reports, heartbeats. */
  readonly coordinatorPerLease: number;
  /** The coordinator's cost of a shard's message. */
  readonly coordinatorPerReport: number;
  /** A shard's fixed cost of a lease's push and of the weights for its worker, independent of their size. */
  readonly shardPerLease: number;
  /** The same cost for each of their parameters: receiving, merging, Adam, sending. */
  readonly shardPerParameter: number;
}

export interface SimulatedCluster {
  readonly workers: number;
  readonly shards: number;
  readonly parameters: number;
  /** Micro-batches that each worker computes in a step, and how long each takes. */
  readonly microBatches: number;
  readonly computeMs: number;
  readonly network: Network;
  readonly steps: number;
}

export interface SimulatedResult {
  readonly msPerStep: number;
  /** Shares of a step's time: in which a worker computes, and in which the busiest resource of each kind is in use. */
  readonly computing: number;
  readonly coordinatorThread: number;
  readonly busiestShard: number;
  readonly busiestLink: number;
  /** Messages of shards to the coordinator. */
  readonly reportsPerStep: number;
  /** The most nodes that a shard held at once, for each of its chunks. */
  readonly nodesStaged: number;
  /** The real time that the coordinator's core took, on the simulating machine, which must be idle for that. */
  readonly coreMsPerLease: number;
}

/** What all parts of a simulated cluster share. */
interface World {
  readonly cluster: SimulatedCluster;
  readonly costs: Costs;
  readonly queue: Queue;
  /** Chunks of a shard, and parameters of one chunk. */
  readonly chunks: number;
  readonly perChunk: number;
  readonly shards: SimulatedShard[];
  readonly workers: SimulatedWorker[];
  toCoordinator(event: CoordinatorEvent, costMs: number): void;
}

interface SimulatedShard {
  readonly thread: Thread;
  readonly link: Link;
  command(event: ShardEvent): void;
  /** The worker has the node's sums for one chunk. */
  push(worker: number, node: OfferedNode, chunk: number): void;
  readonly stagedMax: number;
}

interface SimulatedWorker {
  readonly link: Link;
  readonly computedMs: number;
  lease(plan: StepPlan, lease: number, leaves: Interval): void;
  /** One chunk of the next version has arrived. */
  weightsCame(): void;
}

/** One chunk of a node, in flight or waiting to be sent. */
interface Push {
  readonly chunk: OfferedChunk;
  readonly bytes: number;
  readonly from: Link;
  readonly arrived: boolean;
}

const FLOAT_BYTES = 4;
const CHUNKS = 4;
/** With more streams than this a slice counts as one chunk, because the number of events determines how long a simulation takes. */
const STREAMS_MAX = 4_000;
const END_MS = 1e12;
const COEFFICIENTS: StepCoefficients = {
  ...{ mKeep: 0.9, mAdd: 0.1, vKeep: 0.99, vAdd: 0.01, squareOfSum: false, stepSize: 1, vScale: 1, epsilon: 1e-8 },
  ...{ decay: 1, c1: 1, c2: 1, learningRate: 1, gamma1: 0.1, gamma2: 0.01 },
};

export function simulateCluster(cluster: SimulatedCluster, costs: Costs): SimulatedResult {
  const { workers: workerCount, shards: shardCount, parameters, network, steps } = cluster;
  const kappa = workerCount * cluster.microBatches;
  const chunks = workerCount * shardCount > STREAMS_MAX ? 1 : CHUNKS;
  const queue = createQueue(1, () => {});
  const core = createCoordinatorCore({
    ...{ shards: shardCount, term: 0, microBatchesPerStep: kappa, microBatchSize: 1, kappaRecord: [], replay: false },
    ...{ stepsBefore: 0, microBatchesTotal: (steps + 2) * kappa, checkpointEvery: Number.POSITIVE_INFINITY },
    ...{ evaluateEvery: Number.POSITIVE_INFINITY, evaluationBatches: 0, checkpointsKept: 1 },
    ...{ workersAwaited: workerCount, awaitMs: Number.POSITIVE_INFINITY, coefficients: () => COEFFICIENTS },
  });
  const counts = { coreMs: 0, leases: 0, reports: 0, committed: 0 };
  const world: World = {
    ...{ cluster, costs, queue, chunks, perChunk: parameters / shardCount / chunks, shards: [], workers: [] },
    toCoordinator: (event, costMs) =>
      queue.after(network.delayMs, () => world.shards[0].thread.use(costMs, () => decide(event))),
  };

  function decide(event: CoordinatorEvent): void {
    if ("shard" in event) counts.reports++;
    // By the wall clock: reading the CPU time takes longer than most of these calls.
    const startMs = performance.now();
    const effects = core.handle(event, queue.nowMs);
    counts.coreMs += performance.now() - startMs;
    for (const effect of effects) perform(effect);
  }

  function perform(effect: CoordinatorEffect): void {
    switch (effect.kind) {
      case "saveTerm":
        return decide({ kind: "termSaved", term: effect.term });
      case "restore":
        return world.shards[effect.shard].command({ kind: "restore", term: effect.term, step: effect.step });
      case "plan":
        return world.shards[effect.shard].command({ kind: "plan", plan: effect.plan });
      case "lease": {
        counts.leases++;
        const { worker, lease } = effect.lease;
        const give = (): void => world.workers[Number(worker)].lease(effect.plan, lease, effect.lease);
        return world.shards[0].thread.use(costs.coordinatorPerLease, () => queue.after(network.delayMs, give));
      }
      case "committed":
        counts.committed++;
    }
  }

  for (let index = 0; index < shardCount; index++) world.shards.push(createSimulatedShard(world, index));
  for (let index = 0; index < workerCount; index++) world.workers.push(createSimulatedWorker(world, index));
  for (const worker of world.workers.keys()) decide({ kind: "workerAttached", worker: `${worker}` });
  for (const shard of world.shards.keys()) decide({ kind: "shardAttached", shard, checkpoints: [0] });
  const used = () => {
    const links = [...world.shards, ...world.workers].flatMap(({ link }) => [link.inMs, link.outMs]);
    const threads = world.shards.map(({ thread }) => thread.busyMs);
    const computed = world.workers.reduce((sum, { computedMs }) => sum + computedMs, 0) / workerCount;
    return { ...counts, atMs: queue.nowMs, links, threads, computed };
  };
  // The first step starts as workers join; those after it are alike.
  queue.run(END_MS, () => counts.committed === 1);
  const first = used();
  queue.run(END_MS, () => counts.committed === 1 + steps);
  const last = used();
  if (counts.committed <= steps) throw new Error(`The simulated run makes no progress in step ${counts.committed}.`);
  const ms = last.atMs - first.atMs;
  const busiest = (of: "links" | "threads", from = 0): number =>
    Math.max(0, ...last[of].slice(from).map((each, i) => each - first[of][from + i])) / ms;
  return {
    msPerStep: ms / steps,
    computing: (last.computed - first.computed) / ms,
    coordinatorThread: (last.threads[0] - first.threads[0]) / ms,
    busiestShard: busiest("threads", 1),
    busiestLink: busiest("links"),
    reportsPerStep: (last.reports - first.reports) / steps,
    nodesStaged: Math.max(...world.shards.map(({ stagedMax }) => stagedMax)) / chunks,
    coreMsPerLease: (last.coreMs - first.coreMs) / (last.leases - first.leases),
  };
}

function createSimulatedShard(world: World, index: number): SimulatedShard {
  const { cluster, costs, queue, chunks, perChunk } = world;
  const { network } = cluster;
  const own = Array.from({ length: chunks }, (_, i) => index * chunks + i);
  const slots = slotsMax(chunks, 2 * FLOAT_BYTES * perChunk);
  const core = createShardCore({ chunks: own, reportsLosses: index === 0, slotsMax: slots });
  const thread = createThread(queue);
  const link = createLink();
  /** Half of the cost of a lease's chunk is its push, half its weights. */
  const halfMs = (costs.shardPerLease / chunks + costs.shardPerParameter * perChunk) / 2;
  /** The nodes of each chunk, ascending by their first leaf. */
  const waiting = new Map(own.map((chunk): [number, Push[]] => [chunk, []]));
  let coming = 0;
  let stagedMax = 0;

  /** Sums that the shard does not take yet stay with the worker: the connection's window keeps them there. */
  function offer(push: Push): void {
    if (!admitted(push)) insert(waiting.get(push.chunk.chunk)!, push);
  }

  /** Whether it no longer has to wait. */
  function admitted(push: Push): boolean {
    const { verdict } = core.judge(push.chunk, push.arrived ? 0 : coming);
    if (verdict === "wait") return false;
    if (verdict === "accepted" && push.arrived) performAll(core.admit(push.chunk, [push.chunk.chunk]));
    else if (verdict === "accepted") {
      coming++;
      send(queue, network, push.from, link, push.bytes, () => thread.use(halfMs, () => take(push)));
    }
    return true;
  }

  function take(push: Push): void {
    coming--;
    offer({ ...push, arrived: true });
    stagedMax = Math.max(stagedMax, core.state.slotsUsed);
    offerWaiting();
  }

  /** If the first has to wait, all do: there is no room, and the first is the one with the lowest missing leaf. */
  function offerWaiting(): void {
    for (const pushes of waiting.values()) {
      while (pushes.length > 0 && admitted(pushes[0])) pushes.shift();
    }
  }

  function performAll(effects: readonly ShardEffect[]): void {
    for (const effect of effects) {
      if (effect.kind === "load") handle({ kind: "restored", term: effect.term, mark: START });
      else if (effect.kind === "publish") publish();
      else if (effect.kind === "report") report(effect.report);
    }
  }

  function publish(): void {
    for (const worker of world.workers) {
      const bytes = perChunk * FLOAT_BYTES;
      thread.use(halfMs, () => send(queue, network, link, worker.link, bytes, () => worker.weightsCame()));
    }
  }

  function report(report: Extract<ShardEffect, { kind: "report" }>["report"]): void {
    const costMs = costs.coordinatorPerReport;
    if (report.kind === "committed") {
      const { ledger, losses } = report;
      const scalars = { ledger, losses, squaredNorms1: [], sums2: [], mergeMs: 0, applyMs: 0, bytesReceived: 0 };
      return world.toCoordinator({ ...report, shard: index, scalars }, costMs);
    }
    world.toCoordinator({ ...report, shard: index }, costMs);
  }

  function handle(event: ShardEvent): void {
    performAll(core.handle(event));
    offerWaiting();
  }

  return {
    thread,
    link,
    command: (event) => queue.after(network.delayMs, () => handle(event)),
    push(worker, node, chunk) {
      const bytes = perChunk * FLOAT_BYTES * (node.hi - node.lo > 1 ? 2 : 1);
      offer({ chunk: { ...node, chunk: own[chunk] }, bytes, from: world.workers[worker].link, arrived: false });
    },
    get stagedMax() {
      return stagedMax;
    },
  };
}

function insert(pushes: Push[], push: Push): void {
  const at = pushes.findIndex((each) => each.chunk.lo > push.chunk.lo);
  pushes.splice(at < 0 ? pushes.length : at, 0, push);
}

/** The only term, since nothing fails. */
const TERM = 1;
const START = { step: 0, microBatches: 0, c1: 0, c2: 0 };

function createSimulatedWorker(world: World, index: number): SimulatedWorker {
  const { cluster, queue, chunks } = world;
  const link = createLink();
  const name = `${index}`;
  const wanted = chunks * cluster.shards;
  let version = -1;
  let came = 0;
  let computedMs = 0;
  let leased: (() => void) | undefined;

  const start = (plan: StepPlan, lease: number, { lo, hi }: Interval): void => {
    const computeMs = cluster.computeMs * (hi - lo);
    computedMs += computeMs;
    queue.after(computeMs, () => {
      world.toCoordinator({ kind: "leaseComputed", worker: name, lease, computeMs }, 0);
      const { term, step, microBatches } = plan;
      for (const { lo: from, hi: to } of canonicalNodes(lo, hi, microBatches)) {
        const node = { worker: name, term, step, lo: from, hi: to, losses: new Float64Array(to - from) };
        for (let chunk = 0; chunk < chunks; chunk++) {
          // Each worker starts with another shard, so that all shards receive sums from the start.
          for (let i = 0; i < cluster.shards; i++) world.shards[(index + i) % cluster.shards].push(index, node, chunk);
        }
      }
    });
  };

  return {
    link,
    get computedMs() {
      return computedMs;
    },
    lease(plan, lease, leaves) {
      const begin = (): void => start(plan, lease, leaves);
      if (version === plan.step) begin();
      else leased = begin;
    },
    weightsCame() {
      if (++came < wanted) return;
      came = 0;
      version++;
      world.toCoordinator({ kind: "weightsHeld", worker: name, term: TERM, version }, 0);
      leased?.();
      leased = undefined;
    },
  };
}
