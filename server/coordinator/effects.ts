import { failAt } from "../../shared/fail-point.js";
import type { Logger } from "../../shared/log.js";
import type { WorkerCommand } from "../../shared/wire/index.js";
import type { KappaFile, RunDirectory } from "../record/index.js";
import type { Bookkeeping } from "./bookkeeping.js";
import type { CoordinatorEffect, CoordinatorEvent, CoordinatorState, GrantedLease, RunOutcome } from "./core/index.js";
import { leaseMessage } from "./lease-message.js";
import type { Members } from "./members.js";
import type { ShardPeer } from "./shard-links.js";

export interface CoordinatorEffectsOptions {
  readonly directory: Pick<RunDirectory, "identity" | "saveTerm">;
  readonly kappa: KappaFile;
  readonly leaseKey: Uint8Array;
  readonly state: Readonly<CoordinatorState>;
  readonly members: Pick<Members, "get">;
  readonly links: readonly (ShardPeer | undefined)[];
  readonly bookkeeping: Bookkeeping;
  readonly log: Logger;
  dispatch(event: CoordinatorEvent): void;
  ended(outcome: RunOutcome): void;
}

/** @returns a function that performs one effect of the coordinator's core */
export function createEffects(options: CoordinatorEffectsOptions): (effect: CoordinatorEffect) => void {
  const { directory, kappa, leaseKey, state, members, links, bookkeeping, log, dispatch } = options;
  const { runId } = directory.identity;

  function send(worker: string, command: WorkerCommand): void {
    // A write fails only when the stream has ended, which the reading side reports as well.
    members
      .get(worker)
      ?.writer?.write(command)
      .catch(() => {});
  }

  function logLease({ worker, lease, lo, hi }: GrantedLease, { term, step }: { term: number; step: number }): void {
    if (log.isLevelEnabled("debug")) log.debug({ worker, lease, term, step, lo, hi }, "lease given");
  }

  return (effect) => {
    switch (effect.kind) {
      case "saveTerm":
        directory.saveTerm(effect.term);
        return dispatch({ kind: "termSaved", term: effect.term });
      case "saveKappa":
        kappa.append(effect.facts);
        return dispatch({ kind: "kappaSaved", facts: kappa.facts.length });
      case "kappaChanged":
        return bookkeeping.kappaChanged(effect);
      case "checkpoint":
        // A checkpoint must not survive a crash that loses the record of its steps.
        bookkeeping.catchUp();
        return links[effect.shard]?.perform(effect);
      case "restore":
      case "plan":
      case "keep":
        return links[effect.shard]?.perform(effect);
      case "termOpened":
        return send(effect.worker, { term: { term: effect.term, version: effect.version } });
      case "lease":
        failAt("coordinator.lease");
        logLease(effect.lease, effect.plan);
        return send(effect.lease.worker, { lease: leaseMessage({ runId, leaseKey }, effect.lease, effect.plan) });
      case "evaluate": {
        const { lease, term, version } = effect;
        return send(lease.worker, { evaluation: { term, version, firstBatch: lease.lo, endBatch: lease.hi } });
      }
      case "drain":
        return send(effect.worker, { drain: { reason: effect.reason } });
      case "rolledBack":
        return bookkeeping.rolledBack(effect);
      case "committed":
        failAt("coordinator.commit");
        return bookkeeping.committed(effect.commit);
      case "evaluation":
        return bookkeeping.evaluated(effect);
      case "checkpointWritten":
        return bookkeeping.checkpointWritten(effect.step);
      case "note":
        log[effect.level]({ term: state.term, step: state.mark.step }, effect.message);
        return bookkeeping.note(effect.message);
      case "ended":
        bookkeeping.catchUp();
        return options.ended(effect.outcome);
    }
  };
}
