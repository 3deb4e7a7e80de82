export type * from "./control.js";
export type * from "./near.js";
export type * from "./push.js";
export type * from "./shard.js";
export type * from "./status.js";
export type * from "./worker.js";
