/**
 * The push: a computed lease is sent to every shard as its canonical nodes, to each shard its own chunks of them. The
 * sums are sent from where the threads left them; one message of a stream is in flight at a time, so a slow shard slows
 * its stream and takes no memory.
 */

import type { ComputedLease, WorkerMemory } from "../compute/index.js";
import { IsobatchError } from "../shared/errors.js";
import { createProgressTimer, type Frame, frameOfSums, type PushMessage } from "../shared/wire/index.js";
import type { StepLease } from "./core/index.js";
import { type PushCalls, STALL_MS } from "./push-calls.js";
import type { ShardLink } from "./shard-link.js";
import type { WireForms } from "./wire-forms.js";

export interface PushRequest {
  readonly workerId: string;
  /** The seal of the answer to Join. */
  readonly seal: Uint8Array;
  readonly lease: StepLease;
  readonly computed: Pick<ComputedLease, "nodes" | "losses">;
  readonly memory: WorkerMemory;
  readonly forms: WireForms;
}

/**
 * Resolves once the shard has taken its part. Settles only when nothing is read from the sums any more.
 * @throws {IsobatchError} why it did not; `unavailable` if the connection broke
 */
export async function pushToShard(
  push: PushRequest,
  link: ShardLink,
  calls: PushCalls,
  signal: AbortSignal,
): Promise<void> {
  const { connection, writer, answer, cancel } = await calls.take();
  if (signal.aborted) {
    cancel();
    throw new IsobatchError("interrupted", `The push to ${link.name} was cancelled.`);
  }
  signal.addEventListener("abort", cancel, { once: true });
  const overdue = createProgressTimer(STALL_MS, cancel);

  const sent = send(push, link, connection, (message) => writer.write(message)).then(
    () => {
      writer.end();
      overdue.wait();
    },
    // The answer says more, if there is one: a shard may answer before it has read everything.
    (error: Error) => {
      cancel();
      return error;
    },
  );
  try {
    await answer;
  } catch (error) {
    throw (await sent) ?? error;
  } finally {
    overdue.close();
    signal.removeEventListener("abort", cancel);
    await sent;
  }
}

async function send(
  { workerId, seal, lease, computed, memory, forms }: PushRequest,
  { firstChunk, endChunk }: ShardLink,
  connection: { readonly encrypted: boolean },
  write: (message: PushMessage | Frame) => Promise<void>,
): Promise<void> {
  const { term, step, lo, hi } = lease;
  const losses = [...computed.losses];
  const [sealed, mac] = [seal, lease.mac].map((bytes) => Buffer.from(bytes));
  await write({ lease: { workerId, seal: sealed, lease: lease.lease, term, step, lo, hi, mac, losses } });
  const chunks = memory.plan.layout.chunks.slice(firstChunk, endChunk).filter(({ kind }) => kind !== "frozen");
  let before = Promise.resolve();
  for (const node of computed.nodes) {
    for (const chunk of chunks) {
      const [sums, moreSums] = forms.sums(node, chunk);
      const frame = frameOfSums({ lo: node.lo, hi: node.hi, chunk: chunk.index, sums, moreSums }, connection);
      // One is encoded while the previous one is sent.
      const previous = before;
      before = previous.then(() => write(frame)).finally(frame.release);
      before.catch(() => {});
      await previous;
    }
  }
  await before;
}
