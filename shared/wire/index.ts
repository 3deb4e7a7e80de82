export * from "./address.js";
export { type CallOptions, call } from "./call.js";
export * from "./channel.js";
export type { PushMessageInParts } from "./chunk-messages.js";
export { type Connection, type ConnectOptions, connect } from "./connection.js";
export { crc32, verifyCrc32 } from "./crc32.js";
export type * from "./generated/index.js";
export { createHandlers } from "./handlers.js";
export { createProgressTimer, type ProgressTimer } from "./progress.js";
export { createServer, listenError, type WireServer } from "./server.js";
export { CoordinatorClient, coordinatorService, ShardClient, shardService } from "./service.js";
export { fromStatus, isServiceError, toStatus } from "./status.js";
export {
  cancel,
  createWriter,
  type MessageOf,
  type MessageWriter,
  readMessages,
  type StreamOptions,
} from "./stream.js";
