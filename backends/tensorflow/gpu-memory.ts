/**
 * How much of a GPU's memory a process may take. TensorFlow takes what it needs and never releases it, up to a limit
 * that a session can set. The package's binding, which makes its context when it is loaded, sets none. But all contexts
 * and sessions of a process share one allocator per GPU, which the first of them makes with its own limit. So a session
 * that does nothing is opened before the binding is loaded.
 */
import { IsobatchError } from "../../shared/errors.js";
import { type Encoded, encodeGraph } from "./program/graph-def.js";
import type { SessionAddon } from "./program/session.js";

/**
 * Limits the memory that this process takes on its GPU; to be called before any other part of TensorFlow uses the GPU.
 * @throws {IsobatchError} `unavailable` if the installation can't set a limit
 */
export function limitGpuMemory(sessions: SessionAddon | undefined, mebibytes: number): void {
  if (sessions === undefined) {
    throw new IsobatchError(
      "unavailable",
      "The backend tfjs-node-gpu is unavailable: its memory can't be limited by ISOBATCH_GPU_MEMORY with an installation that an " +
        "older Isobatch has made; run isobatch tensorflow install --cuda again.",
    );
  }
  sessions.close(sessions.open(encodeGraph([], { otherDevices: true }), encodeLimit(mebibytes)));
}

/**
 * ConfigProto.gpu_options.experimental.virtual_devices[0].memory_limit_mb: the first GPU is one virtual device, with
 * this limit. A process sees one GPU.
 */
export function encodeLimit(mebibytes: number): Encoded {
  const limit = Buffer.alloc(4);
  limit.writeFloatLE(mebibytes);
  return [1, 1, 9, 6].reduce<Buffer>(
    (message, field) => Buffer.concat([Buffer.from([(field << 3) | 2, message.length]), message]),
    limit,
  );
}
