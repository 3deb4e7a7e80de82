/**
 * A worker's session with a shard of its machine, as long as their call lasts: numbers stay in memory that both see;
 * only where they are is sent through the call.
 */

import type { WorkerMemory } from "../../compute/index.js";
import { IsobatchError } from "../../shared/errors.js";
import { failAt } from "../../shared/fail-point.js";
import type { FileMapper } from "../../shared/native/process-addon.js";
import { asNearError, foreignFolder, NearError, proofOf, readSecret } from "../../shared/near/index.js";
import {
  type Connection,
  createProgressTimer,
  createWriter,
  type NearAnswer,
  type NearEvent,
  type NearRequest,
  readMessages,
} from "../../shared/wire/index.js";
import type { PushRequest } from "../push.js";
import type { ShardLink } from "../shard-link.js";
import { type NearTheta, openTheta } from "./near-theta.js";
import type { SharedSlots } from "./shared-slots.js";

export interface NearSession {
  readonly theta: NearTheta;
  /** The version of θ while it has this sequence; undefined before the shard has announced one. */
  readonly settled: SettledWeights | undefined;
  /** Whether all numbers are in memory that both sides see, so that none is copied. */
  readonly mapped: boolean;
  /** Whether the shard has taken a push through this session. */
  readonly proven: boolean;
  /** Whether the push's sums are in slots that the shard sees. */
  canPush(push: PushRequest): boolean;
  /**
   * Resolves with the shard's answer; it may keep reading the slots if it says so.
   * @throws {IsobatchError} `unavailable` if the call ends before
   */
  push(push: PushRequest, lend: boolean): Promise<NearAnswer>;
  /** Resolves when the call has ended, with the reason. */
  readonly ended: Promise<IsobatchError>;
  close(): Promise<void>;
}

export interface SettledWeights {
  readonly term: number;
  readonly version: number;
  readonly sequence: number;
}

export interface NearSessionOptions {
  readonly runId: string;
  readonly workerId: string;
  /** The seal of the answer to Join. */
  readonly seal: Uint8Array;
  readonly link: ShardLink;
  readonly memory: WorkerMemory;
  readonly memoryFolder: string;
  readonly mapper: FileMapper | undefined;
  /** The memory whose page `page` shows the shard's sequence. */
  readonly pages: WebAssembly.Memory;
  readonly page: number;
  /** Called once it is known that the shard is of this machine. @throws {NearError} */
  shareSlots(): Promise<SharedSlots>;
  /** Called with the session before anything is received through it. */
  onOpened(session: NearSession): void;
  /** Called when θ is of these weights. */
  onWeights(weights: SettledWeights): void;
  readonly signal: AbortSignal;
}

const STALL_MS = 20_000;
const GREETING_MS = 10_000;

/**
 * Resolves when the shard has welcomed this worker.
 * @throws {NearError} why the two share no memory; {IsobatchError} why the shard can't be reached or refuses
 */
export async function openNearSession(options: NearSessionOptions, connection: Connection): Promise<NearSession> {
  const { link, signal } = options;
  const what = `The shared memory's stream of ${link.name}`;
  const closed = new AbortController();
  const close = (): void => closed.abort();
  const stream = connection.shard.near();
  const writer = createWriter<NearRequest>(stream, { stallMs: STALL_MS, what });
  const events = readMessages(stream, { what, signal: AbortSignal.any([signal, closed.signal]) });
  const overdue = createProgressTimer(GREETING_MS, close);
  overdue.wait();
  try {
    const { slots, theta } = await greet(options, events, (request) => writer.write(request));
    return startSession({ options, slots, theta, events, writer, close });
  } catch (error) {
    close();
    throw error;
  } finally {
    overdue.close();
  }
}

type Events = AsyncGenerator<NearEvent>;

async function greet(
  options: NearSessionOptions,
  events: Events,
  send: (request: NearRequest) => Promise<void>,
): Promise<{ slots: SharedSlots; theta: NearTheta }> {
  const { runId, workerId, seal, link, memory, memoryFolder, mapper, pages, page } = options;
  const invitation = (await events.next()).value?.invitation;
  if (invitation == null || invitation.memory === "") throw new NearError("the shard shares none");
  const folder = foreignFolder(memoryFolder, invitation.memory);
  if ("reason" in folder) throw new NearError(folder.reason);
  const secret = readable(() => readSecret(folder.path));
  const slots = await options.shareSlots();
  const theta = readable(() => openTheta({ folder: folder.path, range: link, memory, page, pages, mapper }));
  try {
    failAt("near.hello");
    const proof = proofOf(secret, { runId, workerId });
    await send({ hello: { workerId, seal: Buffer.from(seal), proof, memory: slots.folder } });
    const first = (await events.next()).value;
    if (first?.welcome == null) throw new NearError("the shard does not welcome this worker");
    failAt("near.welcome");
    return { slots, theta };
  } catch (error) {
    theta.close();
    throw error;
  }
}

/** Opens what another process has left in memory, which may be gone, or not readable for this user. */
function readable<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    throw asNearError(error) ?? error;
  }
}

interface Waiting {
  resolve(answer: NearAnswer): void;
  reject(error: Error): void;
}

function startSession(parts: {
  readonly options: NearSessionOptions;
  readonly slots: SharedSlots;
  readonly theta: NearTheta;
  readonly events: Events;
  readonly writer: { write(request: NearRequest): Promise<void>; end(): void };
  close(): void;
}): NearSession {
  const { options, slots, theta, events, writer, close } = parts;
  const { workerId, seal, link, onWeights } = options;
  const waiting = new Map<number, Waiting>();
  let settled: SettledWeights | undefined;
  let proven = false;
  let over: IsobatchError | undefined;
  // The end of the call is noticed where events are read.
  const send = (request: NearRequest): void => void writer.write(request).catch(() => {});
  const unlisten = slots.onGrown((count) => send({ slots: { slots: count } }));

  const read = async (): Promise<IsobatchError> => {
    let reason = new IsobatchError("unavailable", `The shared memory's stream of ${link.name} was ended.`);
    try {
      for await (const { weights, answer } of events) {
        if (weights != null) {
          settled = weights;
          onWeights(weights);
        } else if (answer != null) {
          proven ||= answer.refused === "";
          waiting.get(answer.lease)?.resolve(answer);
          waiting.delete(answer.lease);
        }
      }
    } catch (error) {
      if (!(error instanceof IsobatchError)) throw error;
      reason = error;
    } finally {
      over = reason;
      unlisten();
      for (const { reject } of waiting.values()) reject(new IsobatchError("unavailable", reason.message));
      waiting.clear();
    }
    return reason;
  };
  // It receives nothing before this turn of the event loop is over, and the session is known by then.
  const ended = read();
  const session: NearSession = {
    theta,
    get settled() {
      return settled;
    },
    mapped: theta.mapped && slots.mapped,
    get proven() {
      return proven;
    },
    canPush: ({ lease, computed }) =>
      over === undefined && !waiting.has(lease.lease) && computed.nodes.every(({ slot }) => slot < slots.count),
    push({ lease, computed }, lend) {
      const { term, step, lo, hi, mac } = lease;
      for (const node of computed.nodes) slots.put(node, link.firstChunk, link.endChunk);
      const claims = { workerId, seal: Buffer.from(seal), lease: lease.lease, term, step, lo, hi };
      const nodes = computed.nodes.map(({ lo, hi, slot }) => ({ lo, hi, slot }));
      return new Promise((resolve, reject) => {
        waiting.set(lease.lease, { resolve, reject });
        send({ push: { lease: { ...claims, mac: Buffer.from(mac), losses: [...computed.losses] }, lend, nodes } });
        // Meanwhile it is sent.
        setImmediate(() => failAt("near.push"));
      });
    },
    ended,
    async close() {
      writer.end();
      close();
      await ended.catch(() => {});
      theta.close();
    },
  };
  options.onOpened(session);
  return session;
}
