import type { ChannelOptions } from "@grpc/grpc-js";

/**
 * The limits and timers of every connection, in one place, and the grpc-js options that carry them. Much of it is
 * off or unbounded by default in grpc-js: keepalive, deadlines, the reconnect backoff (120 s), idle connections.
 */

/** HTTP/2's window for a stream and for the connection. With the default 64 KiB, loopback reaches a quarter. */
export const WINDOW_BYTES = 8 * 1024 * 1024;

/** A chunk of float32, S1 and S2, is at most 1 MiB; a worker's or shard's report is far smaller. */
export const CHUNK_PAYLOAD_BYTES_MAX = 4 * 1024 * 1024;
const REQUEST_BYTES_MAX = CHUNK_PAYLOAD_BYTES_MAX + 64 * 1024;

/** The longest message from a server: a model's topology and layout, or the samples of a micro-batch. */
export const RESPONSE_BYTES_MAX = 64 * 1024 * 1024;

/** Either side gives up a connection on which nothing arrives for this long: see liveness.ts. */
export const SILENCE_MS = 20_000;

/** A connection without a call in flight is closed after this long; clients connect again when they need to. */
const CONNECTION_IDLE_MS = 5 * 60_000;

/** A server's time limit for the TLS handshake. */
export const HANDSHAKE_MS = 10_000;
export const STRANGER_MS = 10_000;

const RECONNECT_BACKOFF_FIRST_MS = 200;
const RECONNECT_BACKOFF_MAX_MS = 2_000;

/**
 * The most connections to one server. A worker needs a few, each with a few streams and a few unary calls at a time.
 */
export const CONNECTIONS_MAX = 4_096;
export const STREAMS_PER_CONNECTION_MAX = 128;
const SESSION_MEMORY_MIB = 256;

/**
 * grpc-js keeps what a client's call has sent, to send it again if the server has not started on it, up to this many
 * bytes; beyond that it cannot, and a write is done only when HTTP/2 has taken its message. Frames rely on the latter.
 */
export const RETRY_BUFFER_BYTES = 8 * 1024;

/**
 * A client's options. We make other retries ourselves: grpc-js would keep copies of everything sent, to send it again.
 */
export const CLIENT_OPTIONS: ChannelOptions = {
  "grpc-node.flow_control_window": WINDOW_BYTES,
  "grpc-node.max_session_memory": SESSION_MEMORY_MIB,
  "grpc.max_send_message_length": REQUEST_BYTES_MAX,
  "grpc.max_receive_message_length": RESPONSE_BYTES_MAX,
  "grpc.initial_reconnect_backoff_ms": RECONNECT_BACKOFF_FIRST_MS,
  "grpc.max_reconnect_backoff_ms": RECONNECT_BACKOFF_MAX_MS,
  "grpc.dns_min_time_between_resolutions_ms": RECONNECT_BACKOFF_MAX_MS,
  "grpc.enable_http_proxy": 0,
  "grpc.enable_retries": 0,
  "grpc.per_rpc_retry_buffer_size": RETRY_BUFFER_BYTES,
  "grpc.enable_channelz": 0,
  "grpc.service_config_disable_resolution": 1,
  // One connection per channel: closing a channel closes its connection, and two channels have two connections.
  "grpc.use_local_subchannel_pool": 1,
};

export const SERVER_OPTIONS: ChannelOptions = {
  "grpc-node.max_session_memory": SESSION_MEMORY_MIB,
  "grpc.max_send_message_length": RESPONSE_BYTES_MAX,
  "grpc.max_receive_message_length": REQUEST_BYTES_MAX,
  "grpc.max_concurrent_streams": STREAMS_PER_CONNECTION_MAX,
  "grpc.max_connection_idle_ms": CONNECTION_IDLE_MS,
  "grpc.enable_channelz": 0,
};
