import { setTimeout as sleep } from "node:timers/promises";
import {
  Client,
  type ClientOptions,
  credentials as grpcCredentials,
  logVerbosity,
  Metadata,
  setLogVerbosity,
  status,
} from "@grpc/grpc-js";
import { sendToken } from "../credentials/index.js";
import { IsobatchError, messageOf } from "../errors.js";
import { type Address, formatAddress } from "./address.js";
import { CLIENT_OPTIONS, HANDSHAKE_MS } from "./channel.js";
import { watchConnections } from "./http2-client.js";
import { CoordinatorClient, ShardClient } from "./service.js";
import { connectionReason } from "./status.js";
import { HungUpError, speaksTls, type Trust, trustOf } from "./trust.js";

/** One HTTP/2 connection to a server, which is restored automatically when it is lost, with typed clients. */
export interface Connection {
  readonly address: Address;
  /** Whether all calls go over TLS; otherwise none does. */
  readonly encrypted: boolean;
  readonly coordinator: CoordinatorClient;
  readonly shard: ShardClient;
  /** Ends the connection and every call on it. */
  close(): void;
}

export interface ConnectOptions {
  /** Sent with every call. */
  token?: string;
  /** How the server is verified; by default as the token says. Without TLS nothing is encrypted. */
  trust?: Trust;
  /** How long to keep trying. */
  waitMs: number;
  /** Stops the attempt; has no effect on an established connection. */
  signal?: AbortSignal;
  /** The silence after which the connection is given up; by default SILENCE_MS. */
  silenceMs?: number;
}

/** The time for grpc-js to report why the last attempt failed. */
const REASON_MS = 250;
/** The longest delay until an aborted signal is noticed. */
const WAIT_SLICE_MS = 100;
/**
 * After this many slices without a connection the server is asked whether it speaks TLS; the second is its time limit.
 */
const TLS_QUESTION_SLICE = 5;
const TLS_QUESTION_MS = 2_000;

/**
 * Connects, retrying until `waitMs` are over.
 *
 * @throws IsobatchError `unavailable` with the reason of the last attempt, `refused` by either side's TLS, or
 *   `interrupted`.
 */
export async function connect(
  address: Address,
  { token, trust = trustOf(token), waitMs, signal, silenceMs }: ConnectOptions,
): Promise<Connection> {
  setLogVerbosity(logVerbosity.NONE);
  const target = formatAddress(address);
  const untilMs = performance.now() + waitMs;
  const { credentials, options: tlsOptions } = trust
    ? await verified(trust, address, untilMs, waitMs, signal)
    : { credentials: grpcCredentials.createInsecure(), options: {} };
  const client = new Client(target, credentials, { ...CLIENT_OPTIONS, ...tlsOptions });
  watchConnections(client, silenceMs);
  try {
    await reachable(client, address, untilMs, waitMs, trust === undefined, signal);
  } catch (error) {
    client.close();
    throw error;
  }
  const options: ClientOptions = {
    channelOverride: client.getChannel(),
    interceptors: token === undefined ? [] : [sendToken(token)],
  };
  return {
    address,
    encrypted: trust !== undefined,
    coordinator: new CoordinatorClient(target, credentials, options),
    shard: new ShardClient(target, credentials, options),
    close: () => client.close(),
  };
}

/** Retries while the server is unreachable; a server that cannot prove its identity is refused at once. */
async function verified(
  trust: Trust,
  address: Address,
  untilMs: number,
  waitMs: number,
  signal: AbortSignal | undefined,
) {
  for (;;) {
    try {
      return await trust.verify(address, Math.max(WAIT_SLICE_MS, Math.min(HANDSHAKE_MS, untilMs - performance.now())));
    } catch (error) {
      if (error instanceof IsobatchError) throw error;
      if (performance.now() >= untilMs) throw unreachable(address, tcpReason(error), waitMs);
    }
    for (const slice of [1, 2]) {
      if (signal?.aborted) throw stopped(address);
      await sleep(slice * WAIT_SLICE_MS);
    }
  }
}

/** Waits in slices, because grpc-js's wait cannot be cancelled. */
async function reachable(
  client: Client,
  address: Address,
  untilMs: number,
  waitMs: number,
  plain: boolean,
  signal: AbortSignal | undefined,
): Promise<void> {
  for (let slice = 1; ; slice++) {
    if (signal?.aborted) throw stopped(address);
    if (await ready(client, Math.min(WAIT_SLICE_MS, Math.max(1, untilMs - performance.now())))) return;
    const over = performance.now() >= untilMs;
    // Asked early, because waiting does not help against it, and once, because it costs the server a handshake.
    if (plain && (slice === TLS_QUESTION_SLICE || (over && slice < TLS_QUESTION_SLICE))) {
      if (await speaksTls(address, TLS_QUESTION_MS)) {
        throw new IsobatchError(
          "refused",
          `The server at ${formatAddress(address)} requires TLS: use the whole token that it printed, or pass --tls-ca.`,
        );
      }
    }
    if (over) throw unreachable(address, await reasonOf(client), waitMs);
  }
}

function stopped(address: Address): IsobatchError {
  return new IsobatchError("interrupted", `Connecting to ${formatAddress(address)} was stopped.`);
}

function unreachable(address: Address, reason: string, waitMs: number): IsobatchError {
  const waited = `${Math.round(waitMs / 100) / 10} s`;
  return new IsobatchError("unavailable", `Cannot reach ${formatAddress(address)}: ${reason} (tried for ${waited}).`);
}

/** Like `connectionReason`, for an error from Node.js. */
function tcpReason(error: unknown): string {
  if (error instanceof HungUpError) return error.message;
  return connectionReason({ code: status.UNAVAILABLE, details: messageOf(error) });
}

function ready(client: Client, waitMs: number): Promise<boolean> {
  return new Promise((resolve) => client.waitForReady(Date.now() + waitMs, (late) => resolve(late === undefined)));
}

/** Why the client has no connection: grpc-js reports this only to a call that does not wait for one. */
function reasonOf(client: Client): Promise<string> {
  const path = "/grpc.health.v1.Health/Check";
  const empty = (): Buffer => Buffer.alloc(0);
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + REASON_MS };
    client.makeUnaryRequest(path, empty, empty, undefined, new Metadata(), options, (error) =>
      resolve(error === null ? "it has answered too late" : connectionReason(error)),
    );
  });
}
