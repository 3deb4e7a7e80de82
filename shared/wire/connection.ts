import {
  type ChannelCredentials,
  Client,
  type ClientOptions,
  credentials as grpcCredentials,
  logVerbosity,
  Metadata,
  setLogVerbosity,
} from "@grpc/grpc-js";
import { sendToken } from "../credentials/index.js";
import { IsobatchError } from "../errors.js";
import { type Address, formatAddress } from "./address.js";
import { CLIENT_OPTIONS } from "./channel.js";
import { CoordinatorClient, ShardClient } from "./service.js";
import { connectionReason } from "./status.js";

/** One HTTP/2 connection to a server, which comes back by itself when it is lost, and typed clients over it. */
export interface Connection {
  readonly address: Address;
  readonly coordinator: InstanceType<typeof CoordinatorClient>;
  readonly shard: InstanceType<typeof ShardClient>;
  /** Ends the connection and every call on it. */
  close(): void;
}

export interface ConnectOptions {
  /** Sent with every call. */
  token?: string;
  /** Without them nothing is encrypted. */
  credentials?: ChannelCredentials;
  /** How long to keep trying. */
  waitMs: number;
  /** Stops the attempt; has no effect on the connection once it stands. */
  signal?: AbortSignal;
}

/** Time for grpc-js to say why the last attempt failed. */
const REASON_MS = 250;
/** The delay with which an aborted signal is seen. */
const WAIT_SLICE_MS = 100;

/**
 * Connects, trying again and again until `waitMs` are over.
 *
 * @throws IsobatchError `unavailable` with the reason of the last attempt, or `interrupted`.
 */
export async function connect(
  address: Address,
  { token, credentials = grpcCredentials.createInsecure(), waitMs, signal }: ConnectOptions,
): Promise<Connection> {
  setLogVerbosity(logVerbosity.NONE);
  const target = formatAddress(address);
  const client = new Client(target, credentials, CLIENT_OPTIONS);
  try {
    await reachable(client, target, waitMs, signal);
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
    coordinator: new CoordinatorClient(target, credentials, options),
    shard: new ShardClient(target, credentials, options),
    close: () => client.close(),
  };
}

/** Waits in slices, because grpc-js's wait cannot be cancelled. */
async function reachable(client: Client, target: string, waitMs: number, signal: AbortSignal | undefined) {
  const end = performance.now() + waitMs;
  do {
    if (signal?.aborted) throw new IsobatchError("interrupted", `Connecting to ${target} was stopped.`);
    if (await ready(client, Math.min(WAIT_SLICE_MS, Math.max(1, end - performance.now())))) return;
  } while (performance.now() < end);
  const waited = `${Math.round(waitMs / 100) / 10} s`;
  throw new IsobatchError("unavailable", `Cannot reach ${target}: ${await reasonOf(client)} (tried for ${waited}).`);
}

function ready(client: Client, waitMs: number): Promise<boolean> {
  return new Promise((resolve) => client.waitForReady(Date.now() + waitMs, (late) => resolve(late === undefined)));
}

/** Why the client has no connection: grpc-js tells it only to a call that does not wait for one. */
function reasonOf(client: Client): Promise<string> {
  const path = "/grpc.health.v1.Health/Check";
  const empty = (): Buffer => Buffer.alloc(0);
  return new Promise((resolve) => {
    const options = { deadline: Date.now() + REASON_MS };
    client.makeUnaryRequest(path, empty, empty, undefined, new Metadata(), options, (error) =>
      resolve(error === null ? "it answers only now" : connectionReason(error)),
    );
  });
}
