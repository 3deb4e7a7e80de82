/** What the programs that belong to a process of the library get from it, as their first message. */
import type { CertificatePaths } from "../../shared/credentials/index.js";
import type { Address } from "../../shared/wire/index.js";
import type { Logging } from "../types/log.js";

interface CommonOrder {
  readonly logLevel: NonNullable<Logging["logLevel"]>;
  /** The file of the trace that the first process has started. */
  readonly trace: string | undefined;
}

/** A worker of `train`. */
export interface WorkerOrder extends CommonOrder {
  readonly address: Address;
  readonly token: string;
  readonly backend: string | undefined;
  readonly computeThreads: number | undefined;
  readonly transport: "auto" | "memory" | "wire";
  /** How long the server is tried to be reached at first; undefined: half a minute. */
  readonly connectWaitMs?: number;
  /** CUDA_VISIBLE_DEVICES; undefined: as it is. */
  readonly visibleDevices: string | undefined;
}

/** A shard beyond the first. */
export interface ShardOrder extends CommonOrder {
  /** From 1. */
  readonly index: number;
  readonly coordinator: Address;
  readonly listen: Address;
  readonly token: string;
  /** The run directory. */
  readonly out: string;
  readonly certificate: CertificatePaths | undefined;
}

/** A process that trains runs of an experiment, which come as further messages. */
export interface ExperimentOrder {
  readonly backend: string;
  readonly visibleDevices: string | undefined;
}
