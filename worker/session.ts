/**
 * A worker's attachment to a run, from Attach to the end of its Work stream, over which commands and reports are sent;
 * weights arrive over other streams. It decides nothing: what it receives is an event of the core, and what it sends is
 * an effect. It lives as long as its stream; the next attachment is a new worker to the server.
 */

import type { ComputedLease } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import {
  type Connection,
  cancel,
  createWriter,
  type MessageWriter,
  readMessages,
  type WorkerCommand,
  type WorkerReportMessage,
} from "../shared/wire/index.js";
import { microBatchesOf } from "../tasks/index.js";
import { commandEvent } from "./command-events.js";
import { createComputing } from "./computing.js";
import type { WorkerEffect, WorkerEvent } from "./core/index.js";
import type { Engine } from "./engine.js";
import type { Joined } from "./join.js";
import { createNear, type NearMemory } from "./near/index.js";
import { pause } from "./pause.js";
import { createPushes } from "./pushes.js";
import { reportMessage } from "./report-messages.js";
import { createLocalSamples, createRemoteSamples } from "./samples.js";
import { createShardLink, type ServerAccess } from "./shard-link.js";
import { createWeightStreams } from "./weights.js";
import { createWireForms } from "./wire-forms.js";

export interface SessionOptions {
  readonly connection: Connection;
  readonly access: ServerAccess;
  readonly joined: Joined;
  readonly engine: Engine;
  /** Undefined: numbers go over the wire. */
  readonly shared: NearMemory | undefined;
  readonly log: Logger;
  dispatch(event: WorkerEvent): void;
}

export interface Session {
  /** Performs an effect of the core. */
  perform(effect: SessionEffect): void;
  /** Starts reading the server's commands. */
  read(): void;
  /** Ends everything at once; resolves when nothing of it is left but the engine. */
  close(): Promise<void>;
}

/** The effects that need an attachment. */
export type SessionEffect = Exclude<WorkerEffect, { kind: "attach" | "cancelAttach" | "detach" | "end" | "note" }>;

/** Reports are small: if one can't be sent within this time, the server is gone. */
const STALL_MS = 20_000;
/** How long the server may take to end the stream after a worker has left. */
const CLOSE_MS = 2_000;
const WHAT = "The worker's stream to the server";

/** Resolves once the server has been notified that the worker is attached. */
export async function openSession(options: SessionOptions): Promise<Session> {
  const { connection, joined } = options;
  const { workerId } = joined;
  const stream = connection.coordinator.work();
  const writer = createWriter<WorkerReportMessage>(stream, { stallMs: STALL_MS, what: WHAT });
  await writer.write({ attach: { workerId } }).catch((error: unknown) => {
    cancel(stream);
    throw error;
  });
  const parts = createParts(options, (transport) => {
    writer.write({ transport: { name: transport } }).catch(() => {});
  });
  const stopBeating = beat(writer, joined.heartbeatMs);
  const closed = new AbortController();
  let reading: Promise<void> | undefined;
  /** Whether the stream was ended from this side. */
  let over = false;

  const read = async (): Promise<void> => {
    try {
      await readCommands(readMessages(stream, { what: WHAT, signal: closed.signal }), options);
    } catch (error) {
      if (over || closed.signal.aborted) return;
      if (error instanceof IsobatchError) options.dispatch({ kind: "streamLost", error });
      else options.dispatch({ kind: "failed", error });
    }
  };

  const closeStream = async (): Promise<void> => {
    over = true;
    stopBeating();
    writer.end();
    await Promise.race([reading, pause(CLOSE_MS, closed.signal)]);
    options.dispatch({ kind: "streamClosed" });
  };

  return {
    perform(effect) {
      if (effect.kind === "closeStream") void closeStream();
      // The end of the stream is noticed where it is read.
      else if (effect.kind === "report") writer.write(reportMessage(effect.report)).catch(() => {});
      else performPart(effect, parts);
    },
    read() {
      reading = read();
    },
    async close() {
      closed.abort();
      stopBeating();
      await Promise.all([parts.close(), reading]);
    },
  };
}

/** Resolves when the server asks for something that the run does not have: joining again would not help. */
async function readCommands(
  commands: AsyncIterable<WorkerCommand>,
  { joined, dispatch }: SessionOptions,
): Promise<void> {
  for await (const command of commands) {
    let event: WorkerEvent | undefined;
    try {
      event = commandEvent(command, joined);
    } catch (error) {
      return dispatch({ kind: "failed", error });
    }
    if (event !== undefined) dispatch(event);
  }
  throw new IsobatchError("unavailable", `${WHAT} was ended by the server.`);
}

/** Sends heartbeats; one that can't be sent holds up the next. */
function beat(writer: MessageWriter<WorkerReportMessage>, everyMs: number): () => void {
  let beating = false;
  const heartbeats = setInterval(() => {
    if (beating) return;
    beating = true;
    const sent = writer.write({ heartbeat: {} });
    sent
      .catch(() => {})
      .finally(() => {
        beating = false;
      });
  }, everyMs);
  return () => clearInterval(heartbeats);
}

type Parts = ReturnType<typeof createParts>;

/** The parts of an attachment besides its stream. */
function createParts(
  { connection, access, joined, engine, shared, log, dispatch }: SessionOptions,
  onTransport: (transport: string) => void,
) {
  const { runId, workerId, seal, task } = joined;
  const { memory } = engine;
  const links = joined.shards.map((place) => createShardLink(place, access));
  const samples =
    engine.data === undefined
      ? createRemoteSamples({ connection, workerId, seal, batches: engine.batches })
      : createLocalSamples(task, engine.data, engine.batches);
  const results = new Map<number, ComputedLease>();
  const near = createNear({
    shared,
    runId,
    workerId,
    seal,
    links,
    memory,
    log,
    onTransport,
    onWeights: (shard, weights) => dispatch({ kind: "shardWeights", shard, ...weights }),
  });
  const forms = createWireForms(memory, task.wire);
  const weights = createWeightStreams({ workerId, seal, links, memory, forms, near, dispatch });
  const computing = createComputing({
    engine,
    samples,
    near,
    wire: task.wire,
    results,
    dispatch,
    microBatchesTotal: microBatchesOf(task),
  });
  const pushes = createPushes({ workerId, seal, links, memory, forms, near, results, dispatch });
  return {
    samples,
    results,
    weights,
    computing,
    pushes,
    memory,
    async close() {
      const closing = [samples.close(), computing.close(), pushes.close(), weights.close()];
      for (const link of links) link.close();
      await Promise.all(closing);
    },
  };
}

function performPart(
  effect: Exclude<SessionEffect, { kind: "closeStream" | "report" }>,
  { samples, results, weights, computing, pushes, memory }: Parts,
): void {
  switch (effect.kind) {
    case "watch":
      return weights.watch(effect.shard, effect.term, effect.afterMs);
    case "takeChunk":
      return weights.take(effect.shard);
    case "skipChunk":
      return weights.skip(effect.shard);
    case "load":
      return computing.load(effect.sequences);
    case "prefetch":
      return samples.prefetch(effect.batches, effect.first, effect.end);
    case "prefetchSteps":
      return samples.prefetchSteps(effect);
    case "prepare":
      return computing.prepare(effect.work);
    case "compute":
      computing.compute(effect.work);
      return pushes.expect();
    case "abandon":
      return computing.abandon(effect.work);
    case "push":
      return pushes.push(effect.work, effect.shard, effect.afterMs, effect.lend);
    case "cancelPush":
      return pushes.cancel(effect.work);
    case "releaseSlots":
      results.delete(effect.work);
      return memory.releaseSlots(effect.slots);
  }
}
