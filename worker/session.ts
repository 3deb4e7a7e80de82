/**
 * A worker's attachment to a run, from Attach to the end of its Work stream: commands come down, reports go up, the
 * weights come in beside it. It lives as long as that stream; whatever it was given is void with it, and the next
 * attachment begins afresh with another worker's id.
 */
import { IsobatchError } from "../shared/errors.js";
import type { Logger } from "../shared/log.js";
import {
  type Connection,
  cancel,
  createWriter,
  readMessages,
  type WorkerCommand__Output,
  type WorkerReport,
} from "../shared/wire/index.js";
import { microBatchesOf } from "../tasks/index.js";
import { pause } from "./backoff.js";
import { ThreadDeathError } from "./compute/index.js";
import type { Engine } from "./engine.js";
import { failureOf } from "./failure.js";
import type { Joined } from "./join.js";
import { checkEvaluation, checkLease } from "./plausible.js";
import { createLocalSamples, createRemoteSamples } from "./samples.js";
import { type Access, createShardLink } from "./shard-link.js";
import { openWeights, type Weights } from "./weights.js";
import { createWorkLoop } from "./work-loop.js";

export interface SessionOptions {
  readonly connection: Connection;
  readonly access: Access;
  readonly joined: Joined;
  readonly engine: Engine;
  readonly log: Logger;
}

export type SessionEnd =
  | { readonly kind: "run ended"; readonly ok: boolean; readonly reason: string }
  | { readonly kind: "left"; readonly reason: string }
  /** The server sent the worker away, for this reason. */
  | { readonly kind: "sent away"; readonly reason: string }
  /** The stream broke. `steady`: it was a good one before, on which the server had spoken, or which stood for long. */
  | { readonly kind: "lost"; readonly error: IsobatchError; readonly steady: boolean };

export interface Session {
  /** Rejects if this worker can't go on. */
  readonly ended: Promise<SessionEnd>;
  /** Asks for no more work, finishes and pushes what is computed, then ends. */
  leave(reason: string): void;
  /** Ends everything at once; resolves when nothing of it is left but the engine. */
  close(): Promise<void>;
}

/** Reports are small: if they can't be sent for so long, nobody is there. */
const STALL_MS = 20_000;
/** A server that waits for its shards has nothing to say for a while. */
const STEADY_MS = 10_000;
/** The server has this long to end the stream after a worker has left. */
const FAREWELL_MS = 2_000;

/** Resolves once the server has been told that the worker is here. */
export async function openSession({ connection, access, joined, engine, log }: SessionOptions): Promise<Session> {
  const { workerId, seal, task } = joined;
  const what = "The worker's stream to the server";
  const closed = new AbortController();
  const stream = connection.coordinator.work();
  const writer = createWriter<WorkerReport>(stream, { stallMs: STALL_MS, what });
  /** The stream was ended from this side. */
  let over = false;
  const report = (message: WorkerReport): void => {
    if (over) return;
    // That the stream has ended is seen where it is read.
    writer.write(message).catch(() => {});
  };
  await writer.write({ attach: { workerId } }).catch((error: unknown) => {
    cancel(stream);
    throw error;
  });

  let finish: { resolve: (end: SessionEnd) => void; reject: (error: unknown) => void };
  const ended = new Promise<SessionEnd>((resolve, reject) => {
    finish = { resolve, reject };
  });
  ended.catch(() => {});
  const onFailed = (error: unknown): void => {
    if (over) return;
    report({ failed: failureOf(error) });
    void farewell(() => finish.reject(error));
  };

  const links = joined.shards.map((place) => createShardLink(place, access));
  const samples =
    engine.data === undefined
      ? createRemoteSamples({ connection, workerId, seal, batches: engine.batches })
      : createLocalSamples(task, engine.data);
  const loop = createWorkLoop({
    workerId,
    seal,
    microBatchesTotal: microBatchesOf(task),
    engine,
    samples,
    links,
    report,
    onThreadsRestarted: () => weights.reload(),
    onFailed,
    log,
  });
  const load = async (): Promise<void> => {
    try {
      await engine.load();
    } catch (error) {
      if (!(error instanceof ThreadDeathError)) throw error;
      log.warn(`${error.message} All threads were started anew.`);
      await engine.load();
    }
  };
  const weights: Weights = openWeights({
    workerId,
    seal,
    links,
    memory: engine.memory,
    load,
    onComplete: loop.supersede,
    onHeld(held) {
      report({ weightsHeld: held });
      log.debug({ epoch: held.epoch, step: held.version }, "weights held");
      loop.hold(held);
    },
    onFailed,
    log,
  });

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
  }, joined.heartbeatMs);

  let leaving: string | undefined;
  const leave = (reason: string, sentAway = false): void => {
    if (leaving !== undefined) return;
    leaving = reason;
    log.info(`leaving the run: ${reason}`);
    report({ leaving: { reason } });
    void loop.drain().then(() => farewell(() => finish.resolve({ kind: sentAway ? "sent away" : "left", reason })));
  };

  /** Ends the stream from this side, gives the server time to do the same, and is done. */
  const farewell = async (end: () => void): Promise<void> => {
    over = true;
    clearInterval(heartbeats);
    writer.end();
    await Promise.race([reading, pause(FAREWELL_MS, closed.signal)]);
    end();
  };

  /** @throws {IsobatchError} if the server asks for something that the run does not have. */
  const obey = (command: WorkerCommand__Output): void => {
    if (command.lease) {
      checkLease(command.lease, task);
      loop.add({ kind: "step", lease: command.lease });
    } else if (command.evaluation) {
      checkEvaluation(command.evaluation, joined.evaluationBatches);
      loop.add({ kind: "evaluation", lease: command.evaluation });
    } else if (command.epoch) {
      log.info({ epoch: command.epoch.epoch, step: command.epoch.version }, "an epoch begins");
      loop.openEpoch(command.epoch.epoch);
      weights.openEpoch(command.epoch.epoch);
    } else if (command.drain) {
      const { reason } = command.drain;
      leave(reason === "" ? "the server asked for it" : reason, reason !== "");
    } else if (command.ended) {
      const { ok, reason } = command.ended;
      void farewell(() => finish.resolve({ kind: "run ended", ok, reason }));
    }
  };

  const read = async (): Promise<void> => {
    const openedAt = performance.now();
    let spoken = false;
    try {
      for await (const command of readMessages(stream, { what, signal: closed.signal })) {
        spoken = true;
        try {
          obey(command);
        } catch (error) {
          // Joining again would not help.
          return finish.reject(error);
        }
      }
      throw new IsobatchError("unavailable", `${what} was ended by the server.`);
    } catch (error) {
      if (over) return;
      if (leaving !== undefined) finish.resolve({ kind: "left", reason: leaving });
      else if (error instanceof IsobatchError) {
        finish.resolve({ kind: "lost", error, steady: spoken || performance.now() - openedAt > STEADY_MS });
      } else finish.reject(error);
    }
  };
  const reading = read();

  return {
    ended,
    leave,
    async close() {
      closed.abort();
      clearInterval(heartbeats);
      const closing = [samples.close(), loop.close(), weights.close(), reading];
      for (const link of links) link.close();
      await Promise.all(closing);
    },
  };
}
