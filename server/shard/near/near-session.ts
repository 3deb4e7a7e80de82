import { checkMember } from "../../../shared/credentials/index.js";
import { IsobatchError, messageOf } from "../../../shared/errors.js";
import { failAt } from "../../../shared/fail-point.js";
import type { ChunkRange, Layout } from "../../../shared/layout/index.js";
import { asNearError, foreignFolder, isProof, removeStaleFolders } from "../../../shared/near/index.js";
import { began, span } from "../../../shared/trace/index.js";
import type { NearAnswer, NearEvent, NearPush, NearRequest } from "../../../shared/wire/index.js";
import type { ChunkAdmission } from "../admission.js";
import { sumsBytes } from "../arithmetic/source.js";
import { checkLease, checkNode, nodeOf } from "../check-push.js";
import type { Measures } from "../measures.js";
import type { SegmentMemory } from "../slice.js";
import { rejection, type TrafficCounters } from "../traffic.js";
import type { NearFolder } from "./near-folder.js";
import { type NearSlots, openSlots } from "./near-slots.js";
import type { NearWeights } from "./near-weights.js";

export interface ServeNearOptions {
  readonly near: NearFolder;
  readonly weights: NearWeights;
  readonly layout: Layout;
  readonly range: ChunkRange;
  /** The shard's chunks that are pushed: all that are not frozen, ascending. */
  readonly active: readonly number[];
  readonly memories: readonly SegmentMemory[];
  readonly runId: string;
  readonly leaseKey: Uint8Array;
  readonly admission: ChunkAdmission;
  readonly measures: Measures;
  readonly traffic: TrafficCounters;
  /** The open slots, which are notified when none of them is read any more. */
  readonly open: Set<NearSlots>;
}

/** The worker's side of a session. */
export interface NearCaller {
  /** The name of the token that the call was made with. */
  readonly token: string;
  readonly requests: AsyncGenerator<NearRequest>;
  send(event: NearEvent): void;
  /** Aborted when the call has ended. */
  readonly ended: AbortSignal;
}

/** Far more pushes than a worker has slots for. */
const PUSHES_MAX = 4_096;

/**
 * Serves one worker on this machine for as long as its call lasts: it pushes by naming the slots that its sums are in,
 * and receives θ's version.
 * @throws {IsobatchError} `refused` for a worker whose identity or machine is not what it claims, or that violates the
 * protocol
 */
export async function serveNear(options: ServeNearOptions, caller: NearCaller): Promise<void> {
  const { weights, open } = options;
  const { requests, send } = caller;
  const { worker, folder } = await authenticate(options, caller);
  const { layout, range, memories } = options;
  failAt("shard.near");
  const slots = refuseIfUnusable(() => openSlots({ folder, layout, range, memories, mapper: options.near.mapper }));
  open.add(slots);
  send({ welcome: {} });
  const unwatch = weights.watch((standing) => send({ weights: standing }));
  const gone = new AbortController();
  const leave = (): void => gone.abort(new IsobatchError("interrupted", "The worker has gone."));
  caller.ended.addEventListener("abort", leave, { once: true });
  let pushes = 0;
  try {
    for await (const { slots: announced, push } of requests) {
      if (announced != null) refuseIfUnusable(() => slots.grow(announced.slots));
      else if (push == null || pushes >= PUSHES_MAX) throw malformed("slots or a push, and not too many of them");
      else {
        pushes++;
        void takePush(options, worker, slots, push, gone.signal).then((answer) => {
          pushes--;
          send({ answer });
        });
      }
    }
  } finally {
    unwatch();
    leave();
    slots.close();
    if (!slots.lends) open.delete(slots);
    // A worker that was killed has left its folder behind.
    removeStaleFolders(options.near.folder).catch(() => {});
  }
}

/** Reads and checks the worker's hello. @returns its id and its folder. */
async function authenticate({ near, runId, leaseKey }: ServeNearOptions, { requests, send, token }: NearCaller) {
  send({ invitation: { memory: near.name } });
  const hello = (await requests.next()).value?.hello;
  if (hello == null) throw malformed("hello at first");
  const { workerId, seal, proof, memory } = hello;
  checkMember(leaseKey, { runId, workerId, token }, seal);
  if (!isProof(proof, near.secret, { runId, workerId })) {
    throw new IsobatchError("refused", `Worker ${workerId} has not proved that it runs on this shard's machine.`);
  }
  const folder = foreignFolder(near.folder, memory);
  if ("reason" in folder) throw new IsobatchError("refused", `No memory is shared with ${workerId}: ${folder.reason}.`);
  return { worker: workerId, folder: folder.path };
}

/** Admits a push, node by node; each waits until it is wanted, and delays no other push. */
async function takePush(
  options: ServeNearOptions,
  worker: string,
  slots: NearSlots,
  { lease: claimed, nodes, lend }: NearPush,
  gone: AbortSignal,
): Promise<NearAnswer> {
  const { layout, active, admission, measures, traffic } = options;
  const answer = { lease: claimed?.lease ?? 0, accepted: 0, dropped: 0, lent: false, refused: "" };
  try {
    if (claimed == null || claimed.workerId !== worker) throw malformed("its own lease in each push");
    const lease = checkLease(options, claimed);
    failAt("shard.push");
    for (const { lo, hi, slot } of nodes) {
      const begun = began();
      checkNode(lease, lo, hi);
      if (!(slot < slots.count)) throw malformed(`slots below ${slots.count}`);
      const fetch = (chunk: number) => {
        const bytes = sumsBytes(layout.chunks[chunk], hi - lo, "float32");
        measures.received(bytes);
        traffic.received(bytes);
        return slots.sums(slot, layout.chunks[chunk], lend);
      };
      const { accepted, dropped } = await admission.offer(nodeOf(lease, lo, hi), active, fetch, gone);
      span("borrowed", begun, lease.lease, lease.step, lo, hi);
      answer.accepted += accepted;
      answer.dropped += dropped;
    }
    return { ...answer, lent: lend && answer.accepted > 0 && slots.lends };
  } catch (error) {
    traffic.ended(error);
    return { ...answer, lent: lend && slots.lends, refused: messageOf(error) };
  }
}

/** A problem with a worker's files refuses that worker and has no other effect. */
function refuseIfUnusable<T>(use: () => T): T {
  try {
    return use();
  } catch (error) {
    const why = asNearError(error);
    if (why === undefined) throw error;
    throw new IsobatchError("refused", `The slots of this worker can't be used: ${why.message}.`);
  }
}

function malformed(expected: string): IsobatchError {
  return rejection("malformed", `On Near a worker must send ${expected}.`);
}
