import type { MutableGate } from "../../../shared/credentials/index.js";
import type { ChunkRange } from "../../../shared/layout/index.js";
import type { Logger } from "../../../shared/log.js";
import type { ControlRequest, ControlResponse, Status } from "../../../shared/wire/index.js";
import type { PreparedTask } from "../../../tasks/index.js";
import type { MetricsLine, RunDirectory, RunRecord } from "../../record/index.js";
import type { SampleReader } from "../../samples/index.js";
import type { Coordinator } from "../coordinator.js";

/** What the handlers of the coordinator's calls share. */
export interface ServiceOptions {
  readonly coordinator: Coordinator;
  readonly prepared: PreparedTask;
  readonly directory: RunDirectory;
  readonly samples: SampleReader;
  readonly metrics: RunRecord<MetricsLine>;
  readonly slices: readonly ChunkRange[];
  readonly leaseKey: Uint8Array;
  /** Shards are told what it admits. */
  readonly gate: MutableGate;
  /** Answers what is asked about tokens; undefined if the request is about something else. */
  controlTokens(request: ControlRequest): ControlResponse | undefined;
  readonly version: string;
  /** Whether the server stays when the run has ended: any worker that wants to join then may try again later. */
  readonly stay: boolean;
  /** Whether workers wait for a server that comes back, so that none is told that the run has ended. */
  workersWait(): boolean;
  status(): Status;
  readonly log: Logger;
}

/** Work and Serve are quiet for longer only when the other side is gone. */
export const SILENCE_MS = 60_000;
