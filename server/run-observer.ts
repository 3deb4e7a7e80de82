import type { Layout } from "../shared/layout/index.js";
import type { Logger } from "../shared/log.js";
import type { Address, ControlRequest, Status } from "../shared/wire/index.js";
import type { Task } from "../tasks/index.js";
import type { Tally } from "./coordinator/index.js";
import type { MetricsLine, RunFacts, RunRecord } from "./record/index.js";
import type { Security } from "./security/index.js";
import type { ShardTraffic } from "./shard/index.js";

/**
 * Something that shows a run to people or programs: a dashboard, a report, event files. The server starts its
 * observers, notifies them of the run's end and closes them; it knows nothing else about them, and no failure of theirs
 * can harm the run.
 */
export interface RunObserver {
  /** The subject of warnings about it: "The dashboard". */
  readonly name: string;
  /**
   * Called once, when the server has its port and before the first event of this process is recorded. A rejection keeps
   * the server from starting, for an observer that can't do what was asked of it; any later failure is only logged.
   */
  start(source: RunSource): Promise<Observation> | Observation;
}

/** An observer at work. */
export interface Observation {
  /**
   * Called when the run has ended, successfully or not, after its summary has been written and before callers learn of
   * it.
   */
  ended?(): void;
  close?(): Promise<void> | void;
}

/** Everything that observers may see of a run. */
export interface RunSource {
  /** The run directory. */
  readonly folder: string;
  readonly runId: string;
  /** The version of Isobatch. */
  readonly version: string;
  readonly task: Task;
  readonly facts: RunFacts;
  readonly layout: Layout;
  /** The command line that started this process; undefined where a program did. */
  readonly command: string | undefined;
  /** Where workers reach the server. */
  readonly address: Address;
  /** Who may see or act, and the certificate for connections from outside. */
  readonly security: Pick<Security, "verify" | "tls" | "joinToken">;
  /** The lines of metrics.jsonl. A line with the event "restored" follows each time that the record was cut back. */
  readonly metrics: Pick<RunRecord<MetricsLine>, "subscribe">;
  readonly log: Logger;
  status(): Status;
  figures(): RunFigures;
  /** Carries out a person's request; see `control`. */
  control(request: ControlRequest): string;
}

/** Figures that the status has no fields for. */
export interface RunFigures {
  /** Steps of the checkpoints that every shard holds, ascending. */
  readonly checkpoints: readonly number[];
  /** The time since the newest checkpoint was written or loaded. */
  readonly checkpointAgeSeconds: number | undefined;
  readonly recomputedSteps: number;
  readonly tally: Omit<Tally, "event" | "effect" | "samplesSent">;
  /** By the shard's number. */
  readonly shardTraffic: readonly (ShardTraffic | undefined)[];
}
