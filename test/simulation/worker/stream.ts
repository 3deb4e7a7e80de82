import type { CoordinatorEffect, CoordinatorEvent } from "../../../server/coordinator/core/index.js";
import { IsobatchError } from "../../../shared/errors.js";
import type { WorkerEvent, WorkerReport } from "../../../worker/core/index.js";
import type { Surroundings } from "./process.js";

/** A worker's stream to the coordinator: commands come down and reports go up, each in order. */
export interface WorkerStream {
  /** The worker's name on it; empty while it is not open. */
  readonly name: string;
  open(name: string): void;
  command(effect: CoordinatorEffect): void;
  report(report: WorkerReport): void;
  /** Ends the stream after the reports. */
  closeStream(): void;
  /** Breaks the stream so that this end notices. */
  lose(): void;
  /** Breaks the stream so that the other end notices. */
  close(reason: string): void;
}

const HEARTBEAT_MS = 1_000;

export function createStream({ world, later, drawMs, dispatch }: Surroundings): WorkerStream {
  let name = "";
  /** Messages in flight, oldest first; those in flight when the stream breaks are lost. */
  const up: { readonly from: string; readonly event: CoordinatorEvent }[] = [];
  const down: { readonly to: string; readonly event: WorkerEvent }[] = [];

  function send(event: CoordinatorEvent): void {
    up.push({ from: name, event });
    later(drawMs(0.1, 10), () => {
      const { from, event: oldest } = up.shift()!;
      if (name === "" || from !== name) return;
      if (oldest.kind === "workerLost") name = "";
      world.toCoordinator(oldest);
    });
  }

  function beat(mine: string): void {
    if (mine !== name) return;
    send({ kind: "heartbeat", worker: mine });
    later(HEARTBEAT_MS, () => beat(mine));
  }

  return {
    get name() {
      return name;
    },
    open(newName) {
      name = newName;
      world.toCoordinator({ kind: "workerAttached", worker: name, machine: `machine ${name.split(".")[0]}` });
      beat(name);
    },
    command(effect) {
      const event = eventOf(effect);
      if (event === undefined) return;
      down.push({ to: name, event });
      later(drawMs(0.1, 10), () => {
        const oldest = down.shift()!;
        if (name !== "" && oldest.to === name) dispatch(oldest.event);
      });
    },
    report(report) {
      if (name !== "") send(reportedBy(name, report));
    },
    closeStream() {
      if (name !== "") send({ kind: "workerLost", worker: name, reason: "it has left" });
      later(drawMs(20, 200), () => dispatch({ kind: "streamClosed" }));
    },
    lose() {
      if (name === "") return;
      name = "";
      const error = new IsobatchError("unavailable", "The stream broke.");
      later(drawMs(0.1, 500), () => dispatch({ kind: "streamLost", error }));
    },
    close(reason) {
      if (name === "") return;
      const worker = name;
      name = "";
      world.toCoordinator({ kind: "workerLost", worker, reason });
    },
  };
}

/** A coordinator's effect in the form that the worker receives. */
function eventOf(effect: CoordinatorEffect): WorkerEvent | undefined {
  switch (effect.kind) {
    case "termOpened":
      return { kind: "termOpened", term: effect.term, version: effect.version };
    case "lease": {
      const { lease, plan } = effect;
      const { term, step, firstMicroBatch, microBatches } = plan;
      const range = { lo: lease.lo, hi: lease.hi };
      const rest = { leafCoefficients1: [], leafCoefficients2: [], mac: new Uint8Array() };
      return {
        kind: "lease",
        lease: { lease: lease.lease, term, step, firstMicroBatch, microBatches, ...range, ...rest },
      };
    }
    case "evaluate": {
      const { lease, term, version } = effect;
      return { kind: "evaluation", lease: { term, version, firstBatch: lease.lo, endBatch: lease.hi } };
    }
    case "drain":
      return { kind: "drain", reason: effect.reason };
    default:
      return undefined;
  }
}

/** A worker's report as the coordinator's shell makes an event of it. */
function reportedBy(worker: string, report: WorkerReport): CoordinatorEvent {
  switch (report.kind) {
    case "weightsHeld":
      return { kind: "weightsHeld", worker, term: report.term, version: report.version };
    case "weightsLost":
      return { kind: "weightsLost", worker };
    case "leaseComputed":
      return { kind: "leaseComputed", worker, lease: report.lease, computeMs: report.computeMs };
    case "leaseFailed": {
      const { lease, nonFinite, reason, transient } = report;
      const microBatch = nonFinite ? report.microBatch : undefined;
      return { kind: "leaseFailed", worker, lease, microBatch, nonFinite, reason, transient };
    }
    case "evaluated": {
      const { term, version, firstBatch, lossSums, correct } = report;
      return { kind: "evaluated", worker, term, version, firstBatch, lossSums, correct };
    }
    case "evaluationFailed": {
      const { version, reason, transient } = report;
      return { kind: "evaluationFailed", worker, version, reason, transient };
    }
    case "leaving":
      return { kind: "workerLeaving", worker };
    case "failed":
      return { kind: "workerFailed", worker, reason: report.reason, transient: report.transient };
  }
}
