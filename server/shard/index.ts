export { commandEvent } from "./command-messages.js";
export type { MeasuredReport } from "./effects.js";
export { type NearFolder, type NearMemoryOptions, openNearFolder } from "./near/near-folder.js";
export { failureMessage, failureOf, reportMessage, reportOf, trafficMessage, trafficOf } from "./report-messages.js";
export { createShard, type Shard, type ShardOptions } from "./shard.js";
export type { ShardTraffic } from "./traffic.js";
