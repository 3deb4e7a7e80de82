/** The servers of a run: the coordinator with shard 0, and the processes of the other shards. */

export {
  findRuns,
  lockHolder,
  type MetricsLine,
  RUN_FILES,
  type RunCondition,
  type RunOverview,
  readRunDirectory,
  readRunOverview,
  type Summary,
} from "./record/index.js";
export type { Observation, RunFigures, RunObserver, RunSource } from "./run-observer.js";
export * from "./security/index.js";
export type { ServerOptions } from "./server-options.js";
export type { NearMemoryOptions } from "./shard/index.js";
export { type RunningServer, startServer } from "./start-server.js";
export { type RunningShard, type ShardProcessOptions, startShard } from "./start-shard.js";
export type { SpawnedShard } from "./supervise-shards.js";
