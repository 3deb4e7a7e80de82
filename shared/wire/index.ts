export * from "./address.js";
export { callerOf } from "./admission.js";
export { call, type UnaryCallOptions } from "./call.js";
export * from "./channel.js";
export { checksumFor, verifyChecksum } from "./checksum.js";
export type { Frame } from "./chunk-messages.js";
export { type Connection, type ConnectOptions, connect } from "./connection.js";
export { frameOfSums, frameOfWeights } from "./frames.js";
export { createHandlers } from "./handlers.js";
export { isEncrypted, type ServerLimits } from "./http2-server.js";
export { giveBackMemory } from "./message-memory.js";
export type * from "./messages/index.js";
export { createProgressTimer, type ProgressTimer } from "./progress.js";
export { type CreateServerOptions, createServer, listenError, type ServerTls, type WireServer } from "./server.js";
export {
  CoordinatorClient,
  type CoordinatorHandlers,
  coordinatorService,
  ShardClient,
  type ShardHandlers,
  shardService,
} from "./service.js";
export { fromStatus, isServiceError, toStatus } from "./status.js";
export {
  cancel,
  createWriter,
  type MessageOf,
  type MessageWriter,
  readMessages,
  type StreamOptions,
} from "./stream.js";
export { anyServer, createTrust, type Trust, type TrustOptions, trustOf } from "./trust.js";
