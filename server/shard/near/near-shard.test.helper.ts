/** A shard that shares memory, and a worker of its machine that may not be what it should. */
import { closeSync, mkdtempSync, writeSync } from "node:fs";
import { join } from "node:path";
import type { TestContext } from "node:test";
import { type LeaseClaims, leaseMac } from "../../../shared/credentials/index.js";
import type { FileMapper } from "../../../shared/native/process-addon.js";
import {
  makeFile,
  makeOwnFolder,
  memoryFolderOf,
  proofOf,
  readSecret,
  slotShapes,
  slotsFile,
  sumsAt,
  wholePages,
} from "../../../shared/near/index.js";
import {
  cancel,
  checksumFor,
  createWriter,
  type NearAnswer,
  type NearEvent,
  type NearHello,
  type NearNode,
  type NearPush,
  type NearRequest,
  type NearVersion,
  readMessages,
} from "../../../shared/wire/index.js";
import { leafOf, type PlainSums, plus, updatePlainly } from "../arithmetic/sums.test.helper.js";
import {
  ACTIVE,
  claimsOf,
  GRADIENTS,
  KAPPA,
  KEY,
  LAYOUT,
  planOf,
  RUN,
  type SmallShard,
  START,
  sealOf,
  serveSmallShard,
} from "../small-shard.test.helper.js";

const [SHAPE] = slotShapes(LAYOUT);
const PATIENCE_MS = 20_000;

/** θ after this many steps, in plain loops. */
export function weightsAfter(steps: number, gradients = GRADIENTS): Float32Array {
  const state = { theta: START.theta.slice(), m: START.m.slice(), v: START.v.slice() };
  for (let step = 0; step < steps; step++) {
    for (const chunk of ACTIVE) {
      const leaves = gradients.map((g) => leafOf(g.slice(chunk.offset, chunk.offset + chunk.length), { w1: 1, w2: 1 }));
      const root = plus(plus(leaves[0], leaves[1]), plus(leaves[2], leaves[3]));
      updatePlainly(LAYOUT, state, chunk, root, planOf(step));
    }
  }
  return state.theta;
}

export interface NearShard extends SmallShard {
  /** The memory folder. */
  readonly root: string;
  /** The open step is `step` from now on. */
  open(step: number): void;
  /** Pushes the root of one chunk over the wire, by another worker. */
  pushChunk(chunk: number): Promise<void>;
  /** θ as WatchWeights sends it, so from the shard's own memory. */
  weights(): Promise<Float32Array>;
}

/** A shard at step 0 with that step's plan. */
export async function serveNearShard(test: TestContext, mapper: FileMapper | undefined): Promise<NearShard> {
  const root = mkdtempSync(join(memoryFolderOf({}), "isobatch-shard-"));
  const small = await serveSmallShard(test, { near: { folder: root, mapper } });
  const { shard, connection } = small;
  return {
    ...small,
    root,
    open: (step) => shard.handle({ kind: "plan", plan: planOf(step) }),
    pushChunk(index) {
      const { offset, length } = LAYOUT.chunks[index];
      const leaves = GRADIENTS.map((g) => leafOf(g.slice(offset, offset + length), { w1: 1, w2: 1 }));
      const { s1, s2 } = plus(plus(leaves[0], leaves[1]), plus(leaves[2], leaves[3]));
      const parts = (LAYOUT.chunks[index].kind === "parameter" ? [s1, s2] : [s1]).map((sum) => Buffer.from(sum.buffer));
      const claims = claimsOf(0, KAPPA, { workerId: "w-9" });
      const lease = { ...claims, mac: leaseMac(KEY, claims), losses: [1, 1, 1, 1], seal: sealOf("w-9") };
      const checksum = checksumFor({ encrypted: false }, parts);
      return new Promise((resolve, reject) => {
        const stream = connection.shard.pushSums((error) => (error ? reject(error) : resolve()));
        stream.write({ lease });
        stream.write({ chunk: { lo: 0, hi: KAPPA, chunk: index, sums: Buffer.concat(parts), checksum } });
        stream.end();
      });
    },
    async weights() {
      const stream = connection.shard.watchWeights({ workerId: "w-1", term: 1, seal: sealOf("w-1") });
      const theta = new Float32Array(LAYOUT.length);
      const left = new Set(LAYOUT.chunks.map(({ index }) => index));
      for await (const { chunk, weights } of readMessages(stream, { what: "The weights", stallMs: PATIENCE_MS })) {
        new Uint8Array(theta.buffer).set(weights, 4 * LAYOUT.chunks[chunk].offset);
        left.delete(chunk);
        if (left.size === 0) break;
      }
      cancel(stream);
      return theta;
    },
  };
}

export interface NearWorker {
  readonly path: string;
  /** The descriptor of its slots' file. */
  readonly file: number;
  /** Puts a node of one or two leaves into the slot, as a worker leaves it there. */
  fill(slot: number, lo: number, hi: number, gradients?: readonly Float32Array[]): void;
  send(request: NearRequest): void;
  /** Pushes a lease; `nodes` names the slots of what it consists of. */
  push(
    lo: number,
    hi: number,
    nodes: readonly NearNode[],
    more?: Partial<NearPush>,
    claims?: Partial<LeaseClaims>,
  ): void;
  answer(): Promise<NearAnswer>;
  weights(): Promise<NearVersion>;
  /** Resolves with what ended the call. */
  ended(): Promise<string>;
  leave(): void;
}

interface JoinOptions {
  readonly hello?: Partial<NearHello>;
  readonly slots?: number;
  readonly workerId?: string;
  readonly patienceMs?: number;
}

/**
 * @param hello what is different in it
 * @param slots that its file has room for
 * @param patienceMs how long it waits for what the shard says
 */
export async function joinNear(
  test: TestContext,
  { root, connection }: NearShard,
  { hello = {}, slots = 4, workerId = "w-1", patienceMs = PATIENCE_MS }: JoinOptions = {},
): Promise<NearWorker> {
  const own = await makeOwnFolder(root);
  const file = makeFile(root, join(own.path, slotsFile(0)), wholePages(slots * SHAPE.bytes));
  const stream = connection.shard.near();
  const writer = createWriter<NearRequest>(stream, { stallMs: PATIENCE_MS, what: "Near" });
  const events = readMessages(stream, { what: "Near" });
  const heard: NearEvent[] = [];
  const waiting = new Set<() => void>();
  const wake = (): void => {
    for (const go of waiting) go();
  };
  /** Resolves when something has arrived or the call has ended, and at the latest after `ms`. */
  const change = (ms: number): Promise<void> =>
    new Promise((resolve) => {
      const go = (): void => {
        clearTimeout(timer);
        waiting.delete(go);
        resolve();
      };
      const timer = setTimeout(go, ms);
      waiting.add(go);
    });
  let end: string | undefined;
  const send = (request: NearRequest): void => void writer.write(request).catch(() => {});
  const next = async <T>(pick: (event: NearEvent) => T | null | undefined): Promise<T> => {
    const until = performance.now() + patienceMs;
    for (;;) {
      const at = heard.findIndex((event) => pick(event) != null);
      if (at >= 0) return pick(heard.splice(at, 1)[0])!;
      if (end !== undefined) throw new Error(`the call has ended: ${end}`);
      const left = until - performance.now();
      if (left <= 0) throw new Error("the shard says nothing");
      await change(left);
    }
  };
  const invitation = (await events.next()).value!.invitation!;
  const reading = (async (): Promise<string> => {
    try {
      for await (const event of events) {
        heard.push(event);
        wake();
      }
      return "well";
    } catch (error) {
      return (error as Error).message;
    } finally {
      wake();
    }
  })().then((how) => {
    end = how;
    wake();
    return how;
  });
  test.after(() => {
    cancel(stream);
    closeSync(file);
    own.close();
    return reading;
  });
  const proof = proofOf(readSecret(join(root, invitation.memory)), { runId: RUN.runId, workerId });
  send({ hello: { workerId, seal: sealOf(workerId), proof, memory: own.name, ...hello } });
  return {
    path: own.path,
    file,
    send,
    fill(slot, lo, hi, gradients = GRADIENTS) {
      for (const chunk of ACTIVE) {
        const leaves = gradients.slice(lo, hi).map((g) => g.slice(chunk.offset, chunk.offset + chunk.length));
        const weighed = leaves.map((g): PlainSums => leafOf(g, { w1: 1, w2: 1 }));
        const sums = hi - lo === 1 ? { s1: leaves[0], s2: undefined } : plus(weighed[0], weighed[1]);
        const bytes = (array: Float32Array): Buffer => Buffer.from(array.buffer);
        writeSync(file, bytes(sums.s1), 0, 4 * chunk.length, sumsAt(SHAPE, slot, "s1", chunk));
        if (sums.s2 === undefined || chunk.kind !== "parameter") continue;
        writeSync(file, bytes(sums.s2), 0, 4 * chunk.length, sumsAt(SHAPE, slot, "s2", chunk));
      }
    },
    push(lo, hi, nodes, more = {}, changed = {}) {
      const claims = claimsOf(lo, hi, { workerId, ...changed });
      const losses = Array.from({ length: hi - lo }, () => 1);
      const lease = { ...claims, mac: leaseMac(KEY, claims), losses, seal: sealOf(workerId) };
      send({ push: { lease, lend: false, nodes: [...nodes], ...more } });
    },
    answer: () => next(({ answer }) => answer),
    weights: () => next(({ weights }) => weights),
    ended: () => reading,
    leave: () => writer.end(),
  };
}
