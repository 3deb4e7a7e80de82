import {
  type ChunkVerdict,
  createShardCore,
  type OfferedChunk,
  type ShardEffect,
  type ShardEvent,
} from "../../server/shard/core/index.js";
import type { CheckpointMark } from "../../shared/steps/index.js";
import { plus, type ReferenceVersion, update } from "./arithmetic.js";
import { CHECKPOINTS_KEPT, type World } from "./world.js";

/** A shard's process: the real core in a shell of simulated disk, links and arithmetic. */
export interface SimulatedShard {
  readonly index: number;
  readonly chunks: readonly number[];
  command(event: ShardEvent): void;
  keep(steps: readonly number[]): void;
  /**
   * Offers a chunk, whose sums are read when it is accepted, or if it may borrow them, when they are needed. `answer` is
   * called once it is judged for good, or never if this process dies before.
   */
  offer(offered: OfferedChunk, sums: Sums, borrow: boolean, answer: (verdict: ChunkVerdict) => void): void;
  /** Sends every chunk now and from now on. @returns how to stop. */
  watch(listener: (chunk: PublishedChunk) => void): () => void;
  /** Whether it has reported the leaf as covered. */
  hasCovered(term: number, step: number, leaf: number): boolean;
  isDurable(step: number): boolean;
  /** Whether the checkpoint would load. */
  hasSynced(step: number): boolean;
  isIntact(step: number): boolean;
  kill(downMs: number): void;
  breakCoordinatorStream(): void;
  damageNewestCheckpoint(): void;
  coordinatorGone(): void;
  reattach(): void;
  check(): void;
  checkFinal(version: ReferenceVersion): void;
  readonly up: boolean;
  /** How often a chunk has changed, over all lives. */
  readonly changes: number;
  /** The version of all of its chunks, if they have the same one. */
  readonly whole: { readonly term: number; readonly version: number } | undefined;
  valueOf(chunk: number): number;
}

/** Where a node's sums of a chunk are read. */
export type Sums = () => number;

/** An offered chunk that waits, or is judged. */
interface Offer {
  readonly offered: OfferedChunk;
  readonly sums: Sums;
  readonly borrow: boolean;
  readonly answer: (verdict: ChunkVerdict) => void;
}

export interface PublishedChunk {
  readonly chunk: number;
  readonly term: number;
  readonly version: number;
  readonly value: number;
}

interface Stored {
  readonly mark: CheckpointMark;
  readonly values: readonly number[];
  synced: boolean;
  damaged: boolean;
}

export function createSimulatedShard(index: number, world: World): SimulatedShard {
  const { queue, options, reference } = world;
  const firstChunk = Math.floor((index * options.chunks) / options.shards);
  const endChunk = Math.floor(((index + 1) * options.chunks) / options.shards);
  const chunks = Array.from({ length: endChunk - firstChunk }, (_, i) => firstChunk + i);
  const stream = `shard ${index}`;
  const initial = reference.at(0, 0);
  const disk = new Map<number, Stored>([
    [0, { mark: initial.mark, values: chunks.map((c) => initial.weights[c]), synced: true, damaged: false }],
  ]);

  let incarnation = 0;
  let changes = 0;
  let up = true;
  let linkOpen = false;
  let linkGeneration = 0;
  let core = makeCore();
  let values = new Map<number, number>();
  let versions = new Map<number, { term: number; version: number }>();
  let slots = new Map<number, Sums>();
  let waiting: Offer[] = [];
  let watchers = new Set<(chunk: PublishedChunk) => void>();
  let reported = { term: -1, step: -1, leaves: new Set<number>() };
  let upLinkFreeAtMs = 0;
  let downLinkFreeAtMs = 0;

  function makeCore() {
    return createShardCore({ chunks, reportsLosses: index === 0, slotsMax: 2 });
  }

  /** One-way, in order, with a delay; lost if the link or this process does not live to see it arrive. */
  function overLink(direction: "up" | "down", deliver: () => void): void {
    const generation = linkGeneration;
    const freeAtMs = direction === "up" ? upLinkFreeAtMs : downLinkFreeAtMs;
    const atMs = Math.max(freeAtMs + 1e-6, queue.nowMs + world.drawMs(stream, 0.1, 20));
    if (direction === "up") upLinkFreeAtMs = atMs;
    else downLinkFreeAtMs = atMs;
    queue.after(atMs - queue.nowMs, () => {
      if (linkOpen && generation === linkGeneration) deliver();
    });
  }

  function handle(event: ShardEvent): void {
    world.trace(`${stream} ${JSON.stringify(event)}`);
    performAll(core.handle(event), undefined);
    retryWaiting();
  }

  function retryWaiting(): void {
    for (let progress = true; progress; ) {
      progress = false;
      for (const entry of waiting.splice(0)) {
        if (judge(entry)) progress = true;
      }
    }
  }

  /** @returns whether something changed for the chunks that wait. */
  function judge(offer: Offer): boolean {
    const { offered, sums, borrow, answer } = offer;
    const { term } = core.state;
    const seen = options.bug?.offered?.(offered, term) ?? offered;
    const verdict = core.judge(seen);
    world.count(`push ${verdict.verdict}`);
    if (verdict.verdict === "wait") {
      waiting.push(offer);
      return false;
    }
    if (verdict.verdict === "accepted" && offered.term !== term) {
      world.fail("countedOnce", `shard ${index} took sums of term ${offered.term} in term ${term}`);
    }
    const effects = verdict.verdict === "accepted" ? core.admit(seen, [seen.chunk]) : [];
    performAll(effects, borrow ? sums : valueNow(sums));
    answer(verdict);
    return effects.length > 0;
  }

  function performAll(effects: ShardEffect[], sums: Sums | undefined): void {
    for (const effect of effects) {
      for (const done of options.bug?.shardEffect?.(effect) ?? [effect]) perform(done, sums);
    }
  }

  /** Both are read immediately; from then on the slot has its own number. */
  function add(slot: number, sums: Sums): void {
    slots.set(
      slot,
      valueNow(() => plus(slots.get(slot)!(), sums())),
    );
  }

  function perform(effect: ShardEffect, sums: Sums | undefined): void {
    const mine = incarnation;
    switch (effect.kind) {
      case "load":
        queue.after(world.drawMs(stream, 1, 50), () => {
          if (mine !== incarnation || core.state.term !== effect.term) return;
          const stored = disk.get(effect.step);
          if (stored === undefined || stored.damaged) {
            const reason = stored === undefined ? "it is not there" : "its checksum is wrong";
            return handle({ kind: "restoreFailed", term: effect.term, step: effect.step, reason });
          }
          values = new Map(chunks.map((chunk, i) => [chunk, stored.values[i]]));
          changes++;
          versions = new Map();
          slots = new Map();
          handle({ kind: "restored", term: effect.term, mark: stored.mark });
        });
        return;
      case "stage":
        return void slots.set(effect.slot, sums!);
      case "accumulate":
        return add(effect.slot, sums!);
      case "merge":
        return add(effect.into, slots.get(effect.from)!);
      case "apply": {
        const value = update(values.get(effect.chunk)!, slots.get(effect.slot)!(), effect.plan);
        const { term, step } = effect.plan;
        const expected = reference.at(term, step + 1).weights[effect.chunk];
        if (value !== expected)
          world.fail("sameBits", `chunk ${effect.chunk} of version ${effect.plan.step + 1} differs from the reference`);
        changes++;
        return void values.set(effect.chunk, value);
      }
      case "publish": {
        versions.set(effect.chunk, { term: effect.term, version: effect.version });
        const value = values.get(effect.chunk)!;
        if (value !== reference.at(effect.term, effect.version).weights[effect.chunk]) {
          world.fail("wholeSteps", `chunk ${effect.chunk} is published as version ${effect.version} and is not`);
        }
        for (const watcher of watchers) watcher({ ...effect, value });
        return;
      }
      case "snapshot": {
        const { mark } = effect;
        const stored: Stored = { mark, values: chunks.map((c) => values.get(c)!), synced: false, damaged: false };
        queue.after(world.drawMs(stream, 5, 300), () => {
          if (mine !== incarnation) return;
          disk.set(mark.step, stored);
          stored.synced = true;
          handle({ kind: "checkpointed", step: mark.step });
        });
        return;
      }
      case "report": {
        const { report } = effect;
        if (report.kind === "checkpointed" && !api.isDurable(report.step)) {
          world.fail("checkpointSurvives", `shard ${index} reports checkpoint ${report.step}, which is not synced`);
        }
        if (report.kind === "superseded") world.partlyApplied();
        if (report.kind === "covered") {
          const { term, step, lo, hi } = report;
          if (reported.term !== term || reported.step !== step) reported = { term, step, leaves: new Set() };
          for (let leaf = lo; leaf < hi; leaf++) reported.leaves.add(leaf);
        }
        return overLink("up", () => world.shardReport(index, report));
      }
    }
  }

  function attach(): void {
    if (!up || linkOpen || !world.coordinatorUp) return;
    linkOpen = true;
    linkGeneration++;
    const steps = [...disk.values()].filter((stored) => stored.synced).map((stored) => stored.mark.step);
    overLink("up", () => world.toCoordinator({ kind: "shardAttached", shard: index, checkpoints: steps }));
  }

  function detach(): void {
    if (!linkOpen) return;
    linkOpen = false;
    linkGeneration++;
    if (up) handle({ kind: "detached" });
  }

  const api: SimulatedShard = {
    index,
    chunks,
    get up() {
      return up;
    },
    command: (event) => overLink("down", () => handle(event)),
    keep: (steps) =>
      overLink("down", () => {
        for (const step of disk.keys()) if (!steps.includes(step)) disk.delete(step);
      }),
    get changes() {
      return changes;
    },
    get whole() {
      const first = versions.get(chunks[0]);
      const same = chunks.every((chunk) => {
        const { term, version } = versions.get(chunk) ?? {};
        return term === first?.term && version === first?.version;
      });
      return same ? first : undefined;
    },
    valueOf: (chunk) => values.get(chunk) ?? -1,
    offer(offered, sums, borrow, answer) {
      if (up && judge({ offered, sums, borrow, answer })) retryWaiting();
    },
    watch(listener) {
      watchers.add(listener);
      for (const [chunk, { term, version }] of versions) listener({ chunk, term, version, value: values.get(chunk)! });
      return () => watchers.delete(listener);
    },
    isDurable: (step) => disk.get(step)?.synced === true,
    kill(downMs) {
      if (!up) return;
      up = false;
      incarnation++;
      const wasAttached = linkOpen;
      linkOpen = false;
      linkGeneration++;
      for (const [step, stored] of disk) if (!stored.synced) disk.delete(step);
      waiting = [];
      watchers = new Set();
      if (wasAttached) world.toCoordinator({ kind: "shardLost", shard: index, reason: "killed" });
      for (const worker of world.workers) worker.shardGone(index);
      queue.after(downMs, () => {
        up = true;
        changes++;
        core = makeCore();
        values = new Map();
        versions = new Map();
        slots = new Map();
        attach();
      });
    },
    breakCoordinatorStream() {
      if (!linkOpen) return;
      detach();
      world.toCoordinator({ kind: "shardLost", shard: index, reason: "stream broken" });
      queue.after(world.drawMs(stream, 10, 500), attach);
    },
    hasCovered: (term, step, leaf) => reported.term === term && reported.step === step && reported.leaves.has(leaf),
    hasSynced: (step) => disk.get(step)?.synced === true,
    isIntact: (step) => disk.get(step)?.synced === true && disk.get(step)?.damaged === false,
    damageNewestCheckpoint() {
      // Only if another checkpoint is left on all shards and will be kept: losing every copy is beyond any promise.
      const common = [...disk.keys()].filter((step) => world.shards.every((shard) => shard.hasSynced(step)));
      const kept = common.sort((a, b) => b - a).slice(0, CHECKPOINTS_KEPT);
      const intact = kept.filter((step) => world.shards.every((shard) => shard.isIntact(step)));
      const victim = disk.get(intact[0]);
      if (intact.length >= 2 && victim !== undefined) victim.damaged = true;
    },
    coordinatorGone: detach,
    reattach: () => queue.after(world.drawMs(stream, 1, 200), attach),
    check() {
      const { state } = core;
      if (state.slotsUsed > 2 + chunks.length * 4)
        world.fail(undefined, `shard ${index} holds ${state.slotsUsed} staged chunks`);
    },
    checkFinal({ mark: { step }, weights }) {
      for (const [i, chunk] of chunks.entries()) {
        if (disk.get(step)?.values[i] !== weights[chunk])
          world.fail("checkpointSurvives", `the final checkpoint of shard ${index} is wrong`);
      }
    },
  };
  queue.after(0, attach);
  return api;
}

function valueNow(sums: Sums): Sums {
  const value = sums();
  return () => value;
}
