export * from "./control.js";
export * from "./near.js";
export * from "./push.js";
export * from "./shard.js";
export * from "./status.js";
export * from "./worker.js";
