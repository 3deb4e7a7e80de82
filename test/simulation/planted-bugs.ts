import type { CoordinatorEffect } from "../../server/coordinator/core/index.js";
import type { StepLease, WeightsVersion } from "../../worker/core/index.js";
import type { PlantedBug } from "./world.js";

/**
 * Bugs that a coordinator, shard or worker could have, injected between the cores and their shells. The simulation must catch
 * every one of them, or its silence about the real code would mean nothing.
 */
export const bugs: Record<string, PlantedBug> = {
  "a κ change is not replayed after a rollback": {
    kappaRecord: (record) => record.slice(0, 1),
  },
  "a lease is closed on the worker's word while a shard missed it": (() => {
    const leases = new Map<number, Extract<CoordinatorEffect, { kind: "lease" }>>();
    return {
      coordinatorEffect: (effect) => {
        if (effect.kind === "lease") leases.set(effect.lease.lease, effect);
        return [effect];
      },
      coordinatorEvent: (event) => {
        const given = event.kind === "leaseComputed" ? leases.get(event.lease) : undefined;
        if (given === undefined) return [event];
        const { lease, plan } = given;
        const covered = [0, 1].map(
          (shard) =>
            ({ kind: "covered", shard, term: plan.term, step: plan.step, lo: lease.lo, hi: lease.hi }) as const,
        );
        return [event, ...covered];
      },
    };
  })(),
  "a sibling's partial sums are pruned after they merged": {
    // Merged sums are released as if they were still separate: only the sums that came last are left.
    shardEffect: (effect) =>
      effect.kind === "merge"
        ? [effect, { kind: "stage", chunk: effect.chunk, slot: effect.into, leaf: undefined }]
        : [effect],
  },
  "a step that is partly applied waits for the next worker to join": {
    coordinatorEvent: (event) => {
      if (event.kind === "superseded") return [];
      return [event.kind === "committed" ? { ...event, scalars: { ...event.scalars, ledger: [] } } : event];
    },
  },
  "one worker's failure is taken for everybody's": (() => {
    const workers = new Set<string>();
    return {
      coordinatorEvent: (event) => {
        if (event.kind === "workerAttached") workers.add(event.worker);
        if (event.kind !== "workerFailed") return [event];
        return [...workers].map((worker) => ({ ...event, worker, reason: "no memory" }));
      },
    };
  })(),
  "a node is merged twice": {
    shardEffect: (effect) => (effect.kind === "accumulate" ? [effect, effect] : [effect]),
  },
  "sums of an expired term are taken": {
    offered: (offered, shardTerm) => ({ ...offered, term: Math.max(offered.term, shardTerm) }),
  },
  "a merge is left out of the tree's order": {
    shardEffect: (effect) => (effect.kind === "merge" ? [] : [effect]),
  },
  "c1 is lost when the run is resumed": {
    coordinatorEvent: (event) => (event.kind === "restored" ? [{ ...event, mark: { ...event.mark, c1: 0 } }] : [event]),
  },
  "a checkpoint is reported before it is synced": {
    shardEffect: (effect) =>
      effect.kind === "snapshot"
        ? [effect, { kind: "report", report: { kind: "checkpointed", step: effect.mark.step } }]
        : [effect],
  },
  "the last common checkpoint is pruned": {
    coordinatorEffect: (effect) => (effect.kind === "keep" ? [{ ...effect, steps: [] }] : [effect]),
  },
  "a step is applied with the coefficients of the step before": (() => {
    let before: unknown;
    return {
      coordinatorEffect: (effect) => {
        if (effect.kind !== "plan") return [effect];
        const coefficients = (before ?? effect.plan.coefficients) as typeof effect.plan.coefficients;
        before = effect.plan.coefficients;
        return [{ ...effect, plan: { ...effect.plan, coefficients } }];
      },
    };
  })(),
  "a lease is started with the weights that are held, not with those it names": (() => {
    const held = new Map<string, WeightsVersion>();
    const named = new Map<string, number>();
    const nameOf = (worker: string, { lease, term }: StepLease) => `${worker} ${term} ${lease}`;
    return {
      workerEvent: (event, worker) => {
        if (event.kind === "attached") held.delete(worker);
        if (event.kind !== "lease") return [event];
        const { lease } = event;
        const { term, version } = held.get(worker) ?? {};
        if (lease.term !== term || lease.step !== version! + 1) return [event];
        named.set(nameOf(worker, lease), lease.step);
        return [{ ...event, lease: { ...lease, step: version! } }];
      },
      workerEffect: (effect, worker) => {
        if (effect.kind === "report" && effect.report.kind === "weightsHeld") held.set(worker, effect.report);
        if (effect.kind !== "push") return [effect];
        const { work } = effect;
        const step = named.get(nameOf(worker, work.lease)) ?? work.lease.step;
        return [{ ...effect, work: { ...work, lease: { ...work.lease, step } } }];
      },
    };
  })(),
  "slots that a shard still reads are reused after its answer": {
    workerEvent: (event) => [event.kind === "pushed" ? { ...event, lent: false } : event],
  },
  "weights that moved while they were copied count as held": {
    workerEvent: (event) => [event.kind === "loaded" ? { kind: "loaded" } : event],
  },
  "θ is written while the threads copy it": (() => {
    const loading = new Set<string>();
    return {
      workerEvent: (event, worker) => {
        if (event.kind === "chunk" && loading.delete(worker)) return [{ kind: "loaded" }, event];
        return event.kind === "loaded" && !loading.delete(worker) ? [] : [event];
      },
      workerEffect: (effect, worker) => {
        if (effect.kind === "load") loading.add(worker);
        return [effect];
      },
    };
  })(),
};
