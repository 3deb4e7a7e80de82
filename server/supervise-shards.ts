import { IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import type { Address } from "../shared/wire/index.js";
import type { Coordinator, Progress } from "./coordinator/index.js";

/** A shard's process as its parent process sees it. */
export interface SpawnedShard {
  /** Resolves with the reason when the process has ended. */
  readonly exited: Promise<string>;
  kill(): void;
}

/**
 * Keeps the processes of shards 1, 2, … alive. If the coordinator's port was chosen, they take the ports after it and
 * the dashboard's, so that a firewall can be configured; else any. A shard that dies is started again at the same port,
 * where workers expect it; it attaches, and the coordinator rolls the run back to the newest checkpoint that all shards
 * have.
 */
export interface ShardSupervisor {
  /** Rejects with an IsobatchError when a shard keeps failing. Never resolves. */
  readonly failed: Promise<never>;
  /** Ends the processes. */
  stop(): Promise<void>;
}

export interface ShardSupervisorOptions {
  readonly shards: number;
  /** The server's address; shards listen on the same host. */
  readonly address: Address;
  /** Whether its port was chosen by a person. */
  readonly portChosen: boolean;
  /** The address at which they reach the coordinator. */
  readonly meeting: Address;
  readonly coordinator: Pick<Coordinator, "shardAddresses"> & { readonly progress: Pick<Progress, "furthestStep"> };
  readonly log: Logger;
  spawnShard(shard: { index: number; coordinator: Address; listen: Address }): SpawnedShard;
}

/** A shard that dies this often without progress of the run ends the run, however long each process lived. */
const DEATHS_MAX = 5;

export function superviseShards(options: ShardSupervisorOptions): ShardSupervisor {
  const { address, meeting, portChosen, coordinator, log } = options;
  const running = new Map<number, SpawnedShard>();
  const loops: Promise<void>[] = [];
  let stopped = false;
  let fail: (error: IsobatchError) => void = () => {};
  const failed = new Promise<never>((_, reject) => {
    fail = reject;
  });
  failed.catch(() => {});

  async function keepAlive(index: number): Promise<void> {
    let deaths = 0;
    let furthest = coordinator.progress.furthestStep;
    while (!stopped) {
      const before = coordinator.shardAddresses[index]?.split(":").at(-1);
      const port = Number(before ?? (portChosen ? address.port + 1 + index : 0));
      const shard = options.spawnShard({ index, coordinator: meeting, listen: { host: address.host, port } });
      running.set(index, shard);
      const why = await shard.exited;
      running.delete(index);
      if (stopped) return;
      deaths = coordinator.progress.furthestStep > furthest ? 1 : deaths + 1;
      furthest = coordinator.progress.furthestStep;
      if (deaths >= DEATHS_MAX) {
        return fail(new IsobatchError("unavailable", `Shard ${index} ended ${deaths} times in a row: ${why}.`));
      }
      log.warn({ shard: index, why }, "a shard has ended and is started again");
    }
  }

  for (let index = 1; index < options.shards; index++) loops.push(keepAlive(index));

  return {
    failed,
    async stop() {
      stopped = true;
      for (const shard of running.values()) shard.kill();
      await Promise.all(loops);
    },
  };
}
