import type { Metadata } from "@grpc/grpc-js";
import { checkMember } from "../../shared/credentials/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { failAt } from "../../shared/fail-point.js";
import type { ChunkRange, Layout, WireFormat } from "../../shared/layout/index.js";
import { began, span } from "../../shared/trace/index.js";
import {
  callerOf,
  type createHandlers,
  createWriter,
  giveBackMemory,
  isEncrypted,
  type PushMessage,
  type PushResult,
  readMessages,
  type ShardHandlers,
} from "../../shared/wire/index.js";
import type { ChunkAdmission } from "./admission.js";
import type { SumsSource } from "./arithmetic/source.js";
import { checkChunk, checkLease, checkSums, nodeOf, type PushedLease } from "./check-push.js";
import type { Measures } from "./measures.js";
import type { Publisher } from "./publisher.js";
import type { ShardSlice } from "./slice.js";
import { rejection, type TrafficCounters } from "./traffic.js";

export interface PushServiceOptions {
  readonly layout: Layout;
  readonly range: ChunkRange;
  readonly wire: WireFormat;
  readonly runId: string;
  readonly leaseKey: Uint8Array;
  readonly slice: Pick<ShardSlice, "receive">;
  readonly admission: ChunkAdmission;
  readonly publisher: Publisher;
  readonly measures: Measures;
  readonly traffic: TrafficCounters;
}

/** The part of a call that identifies its caller. */
type Caller = { readonly metadata: Metadata };

/** A push or a watcher without any progress for this long is cut off. */
const STALL_MS = 60_000;

/** The gRPC handlers with which workers push sums and receive weights. */
export function createPushService(
  options: PushServiceOptions,
  { clientStream, serverStream }: Pick<ReturnType<typeof createHandlers>, "clientStream" | "serverStream">,
): Pick<ShardHandlers, "PushSums" | "WatchWeights"> {
  const { publisher, traffic } = options;
  return {
    PushSums: clientStream<PushMessage, PushResult>(async (call) => {
      const gone = new AbortController();
      call.on("cancelled", () => gone.abort(new IsobatchError("interrupted", "The worker has gone.")));
      try {
        const messages = readMessages(call, { stallMs: STALL_MS, what: "A push" });
        const caller = { metadata: call.metadata, encrypted: isEncrypted(call) };
        return await takePush(options, messages, caller, gone.signal);
      } catch (error) {
        traffic.ended(error);
        throw error;
      }
    }),
    WatchWeights: serverStream(async (call) => {
      checkJoined(options, call.request, call);
      const writer = createWriter(call, { stallMs: STALL_MS, what: "The weights' stream" });
      await publisher.watch(writer, { encrypted: isEncrypted(call) });
    }),
  };
}

/**
 * Receives one push, message by message.
 * @throws {IsobatchError} for the first message that is refused; the earlier ones are admitted
 */
export async function takePush(
  options: Omit<PushServiceOptions, "publisher">,
  messages: AsyncIterable<PushMessage>,
  caller: Caller & { readonly encrypted: boolean },
  gone: AbortSignal,
): Promise<{ accepted: number; dropped: number }> {
  const { layout, slice, admission, measures, traffic } = options;
  const result = { accepted: 0, dropped: 0 };
  let lease: PushedLease | undefined;
  for await (const message of messages) {
    if (message.lease != null) {
      checkJoined(options, message.lease, caller);
      lease = checkLease(options, message.lease);
    } else if (lease === undefined || message.chunk == null) {
      throw rejection("malformed", "A push must start with its lease.");
    } else {
      const { chunk: sent } = message;
      checkChunk(options, lease, sent);
      failAt("shard.push");
      measures.received(sent.sums.length);
      traffic.received(sent.sums.length);
      const { lo, hi, chunk } = sent;
      const { lease: number, step } = lease;
      const fetch = (): SumsSource => {
        const begun = began();
        checkSums(sent, layout, caller);
        const source = slice.receive(layout.chunks[chunk], sent.sums);
        span("received", begun, number, step, chunk, lo, hi);
        if (source !== undefined) return source;
        throw rejection("not_finite", `Chunk ${chunk} of [${lo}, ${hi}) is not finite.`);
      };
      const { accepted, dropped } = await admission.offer(nodeOf(lease, lo, hi), [chunk], fetch, gone);
      result.accepted += accepted;
      result.dropped += dropped;
      giveBackMemory(sent.sums);
    }
  }
  return result;
}

/** Only a worker that has joined with the token of this call may push or receive weights. */
function checkJoined(
  { leaseKey, runId }: { readonly leaseKey: Uint8Array; readonly runId: string },
  { workerId, seal }: { workerId: string; seal: Uint8Array },
  call: Caller,
): void {
  checkMember(leaseKey, { runId, workerId, token: callerOf(call)?.name ?? "" }, seal);
}
