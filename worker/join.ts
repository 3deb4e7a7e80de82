/**
 * Joins a run: the worker describes itself, and the server answers with all that computing needs, or refuses with the
 * reason. Everything in the answer is checked here, once; later code may rely on it.
 */
import { hostname } from "node:os";
import type { ChosenBackend } from "../compute/index.js";
import { IsobatchError, messageOf } from "../shared/errors.js";
import { type Layout, layoutFromJson } from "../shared/layout/index.js";
import { version } from "../shared/version.js";
import {
  type Address,
  type Connection,
  call,
  coordinatorService,
  type JoinResponse,
  parseAddress,
} from "../shared/wire/index.js";
import { resolveTask, type SampleSpec, sampleFormFromJson, type Task } from "../tasks/index.js";
import { reportFailure } from "./failure.js";
import { EVALUATION_BATCHES_MAX } from "./plausible.js";

/** The server may be busy reading a data set or building a model. */
const JOIN_DEADLINE_MS = 30_000;
const HEARTBEAT_MS_MIN = 10;
const HEARTBEAT_MS_MAX = 60_000;
const TEXT_LENGTH_MAX = 8 * 2 ** 20;
const NAME_LENGTH_MAX = 200;
const SEAL_BYTES_MAX = 1024;
/** The most server processes that a run may have. */
const SHARDS_MAX = 256;

export interface Joined {
  readonly workerId: string;
  /** Sent with every request outside the Work stream. */
  readonly seal: Uint8Array;
  readonly runId: string;
  readonly task: Task;
  /** JSON of the model's topology; checked when the model is built. */
  readonly topology: string;
  readonly layout: Layout;
  /** The form of a batch's raw bytes. */
  readonly form: SampleSpec;
  /** The number of batches of the test part; 0 without one. */
  readonly evaluationBatches: number;
  /** The shards in the order of their chunks, which together are all of the layout's. */
  readonly shards: readonly ShardPlace[];
  readonly datasetFingerprint: string;
  readonly heartbeatMs: number;
  /** Equal for two answers if memories, model and threads can be kept from one to the other. */
  readonly identity: string;
}

export interface ShardPlace {
  readonly index: number;
  readonly address: Address;
  /** The shard's slice of the layout's chunks, [firstChunk, endChunk). */
  readonly firstChunk: number;
  readonly endChunk: number;
}

/** The run that this worker computed for ended while it was away; the message says how. */
export class RunEndedError extends Error {
  override readonly name = "RunEndedError";
  constructor(
    readonly ok: boolean,
    reason: string,
  ) {
    super(reason);
  }
}

/**
 * @param runId the run that this worker computed for before, if any
 * @throws {RunEndedError} if that run has ended
 */
export async function join(
  connection: Connection,
  worker: { backend: ChosenBackend; computeThreads: number; runId: string | undefined; signal: AbortSignal },
): Promise<Joined> {
  const { backend, computeThreads, runId = "", signal } = worker;
  const request = {
    version,
    numerics: backend.numerics,
    host: hostname(),
    processId: process.pid,
    computeThreads,
    device: backend.device,
    runId,
  };
  const options = { deadlineMs: JOIN_DEADLINE_MS, signal };
  const response = await call(connection.coordinator, coordinatorService.Join, request, options);
  if (runId !== "" && response.ended != null) throw new RunEndedError(response.ended.ok, response.ended.reason);
  try {
    return read(response, connection.address.host);
  } catch (error) {
    const reason = messageOf(error).replace(/\.$/, "");
    const unusable = new IsobatchError("damaged", `The server's answer to Join can't be used: ${reason}.`, {
      cause: error,
    });
    await reportFailure(connection, response.workerId, unusable);
    throw unusable;
  }
}

function read(response: JoinResponse, host: string): Joined {
  const { workerId, runId, heartbeatMs, taskJson, topologyJson, layoutJson, sampleFormJson } = response;
  for (const name of [workerId, runId, response.datasetFingerprint]) {
    if (name.length > NAME_LENGTH_MAX) throw new RangeError(`a name in it has ${name.length} characters`);
  }
  for (const text of [taskJson, topologyJson]) {
    if (text.length > TEXT_LENGTH_MAX) {
      throw new RangeError(
        `its task or topology has ${text.length} characters; at most ${TEXT_LENGTH_MAX} are allowed`,
      );
    }
  }
  if (response.seal.length > SEAL_BYTES_MAX) throw new RangeError(`its seal has ${response.seal.length} bytes`);
  const { evaluationBatches } = response;
  if (evaluationBatches > EVALUATION_BATCHES_MAX)
    throw new RangeError(`it has ${evaluationBatches} evaluation batches`);
  const layout = layoutFromJson(layoutJson);
  const form = sampleFormFromJson(sampleFormJson);
  if (!(heartbeatMs >= HEARTBEAT_MS_MIN && heartbeatMs <= HEARTBEAT_MS_MAX)) {
    throw new RangeError(`a heartbeat every ${heartbeatMs} ms; allowed are ${HEARTBEAT_MS_MIN} to ${HEARTBEAT_MS_MAX}`);
  }
  return {
    workerId,
    seal: response.seal,
    runId,
    task: resolveTask("the task", JSON.parse(taskJson)),
    topology: topologyJson,
    layout,
    form,
    evaluationBatches,
    shards: readShards(response.shards, layout, host),
    datasetFingerprint: response.datasetFingerprint,
    heartbeatMs,
    identity: JSON.stringify([runId, taskJson, topologyJson, layoutJson, sampleFormJson, response.datasetFingerprint]),
  };
}

function readShards(shards: JoinResponse["shards"], layout: Layout, host: string): ShardPlace[] {
  if (shards.length > SHARDS_MAX)
    throw new RangeError(`it has ${shards.length} shards; at most ${SHARDS_MAX} are allowed`);
  const ordered = [...shards].sort((a, b) => a.firstChunk - b.firstChunk);
  let next = 0;
  for (const { index, firstChunk, endChunk } of ordered) {
    if (firstChunk !== next || endChunk <= firstChunk) {
      throw new RangeError(`shard ${index} has the chunks ${firstChunk} to ${endChunk}, expected from ${next} on`);
    }
    next = endChunk;
  }
  if (next !== layout.chunks.length) throw new RangeError(`its shards hold ${next} of ${layout.chunks.length} chunks`);
  return ordered.map(({ index, address, firstChunk, endChunk }) => ({
    index,
    // An empty host means the host at which the coordinator was reached.
    address: address.startsWith(":")
      ? { ...parseAddress(`localhost${address}`, `shard ${index}`), host }
      : parseAddress(address, `shard ${index}`),
    firstChunk,
    endChunk,
  }));
}
