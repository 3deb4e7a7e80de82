import type { Logger } from "../shared/log.js";
import type { Address } from "../shared/wire/index.js";
import type { LayersModel, Task } from "../tasks/index.js";
import type { RunObserver } from "./run-observer.js";
import type { GivenToken, TlsRequest } from "./security/index.js";
import type { NearMemoryOptions } from "./shard/index.js";
import type { SpawnedShard } from "./supervise-shards.js";

export interface ServerOptions {
  readonly task: Task;
  /** Its model, where a function of the program has made it already; it is disposed of. */
  readonly model?: LayersModel;
  /** The run directory. */
  readonly out: string;
  readonly listen: Address;
  readonly shards: number;
  readonly tls: TlsRequest;
  /** The file of the join token; it is made if it does not exist. */
  readonly joinTokenFile?: string;
  /** Tokens in addition to those of the run directory. */
  readonly tokens?: readonly GivenToken[];
  /** The first step waits for this many workers, but at most `awaitMs` after the first is ready. */
  readonly workersAwaited: number;
  readonly awaitMs: number;
  /**
   * Whether the server keeps answering after the run has ended, until `abort`; workers that join then may try again
   * later. A run that failed for a reason that a restart may fix, such as a full disk, ends the server anyway.
   */
  readonly stay?: boolean;
  /** The observers that show the run: started, notified and closed by the server. */
  readonly observers?: readonly RunObserver[];
  /** Where memory is shared with workers on this machine; without it, their numbers go over the wire. */
  readonly memory?: NearMemoryOptions;
  /** A run directory, or a kappa.jsonl, whose record of κ this run follows. */
  readonly replayKappa?: string;
  /** Whether a schedule that ends with a shorter run may be stretched to the task's length. */
  readonly extend?: boolean;
  /** The command line that started this process, for the record. */
  readonly command?: string;
  readonly log: Logger;
  /** Starts the process of shard `index` ≥ 1, which calls `startShard` with `token`. */
  spawnShard(shard: { index: number; coordinator: Address; listen: Address; token: string }): SpawnedShard;
}
