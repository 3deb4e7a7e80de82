import type { MutableGate } from "../../../shared/credentials/index.js";
import type { ChunkRange } from "../../../shared/layout/index.js";
import type { Logger } from "../../../shared/log.js";
import type { ControlRequest, ControlResponse, Status } from "../../../shared/wire/index.js";
import type { PreparedTask } from "../../../tasks/index.js";
import type { MetricsLine, RunDirectory, RunRecord } from "../../record/index.js";
import type { SampleReader } from "../../samples/index.js";
import type { Coordinator } from "../coordinator.js";

/** The dependencies that the handlers of the coordinator's calls share. */
export interface ServiceOptions {
  readonly coordinator: Coordinator;
  readonly prepared: PreparedTask;
  readonly directory: RunDirectory;
  readonly samples: SampleReader;
  readonly metrics: RunRecord<MetricsLine>;
  readonly slices: readonly ChunkRange[];
  readonly leaseKey: Uint8Array;
  /** Its passes are sent to the shards. */
  readonly gate: MutableGate;
  /** Answers a request about tokens; undefined for any other request. */
  controlTokens(request: ControlRequest): ControlResponse | undefined;
  readonly version: string;
  /**
   * Whether the server keeps answering after the run has ended: a worker that wants to join then may try again later.
   */
  readonly stay: boolean;
  /** Whether workers are to wait for the server to come back, so that they are not notified of the run's end. */
  workersWait(): boolean;
  status(): Status;
  readonly log: Logger;
}

/** Work and Serve are silent for longer than this only when the other side is gone. */
export const SILENCE_MS = 60_000;
