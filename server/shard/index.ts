export { commandEvent, passesOf, planMessage } from "./command-messages.js";
export { failureMessage, failureOf, reportMessage, reportOf, trafficMessage, trafficOf } from "./report-messages.js";
export { createShard, type MeasuredReport, type Shard, type ShardOptions } from "./shard.js";
export type { ShardTraffic } from "./traffic.js";
