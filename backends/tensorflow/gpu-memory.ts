/**
 * How much of a GPU's memory a process may take. TensorFlow takes what it needs and gives none of it back, up to a limit
 * that a session can set. The package's binding, which makes its context when it is loaded, sets none. But all contexts
 * and sessions of a process share one allocator per GPU, which the first of them makes with its own limit. So a session
 * that does nothing is opened before the binding is loaded.
 */
import { IsobatchError, invalid } from "../../shared/errors.js";
import { type Encoded, encodeGraph } from "./program/graph-def.js";
import type { SessionAddon } from "./program/session.js";

const GIB_MIN = 0.25;
const GIB_MAX = 1_024;

/**
 * Reads ISOBATCH_GPU_MEMORY.
 * @param text GiB
 * @returns the limit in MiB; undefined: only the GPU's own
 * @throws {IsobatchError} `invalid_input` if the text is not a number in range
 */
export function gpuMemoryLimit(text: string | undefined): number | undefined {
  if (!text) return undefined;
  const gibibytes = Number(text);
  if (gibibytes >= GIB_MIN && gibibytes <= GIB_MAX) return Math.floor(gibibytes * 1_024);
  return invalid(
    `ISOBATCH_GPU_MEMORY is ${JSON.stringify(text)}; it takes GiB of each GPU, from ${GIB_MIN} to ${GIB_MAX}.`,
  );
}

/**
 * Limits the memory that this process takes of its GPU; to be called before anything else of TensorFlow sees the GPU.
 * @throws {IsobatchError} `unavailable` if the installation can't set a limit
 */
export function boundGpuMemory(sessions: SessionAddon | undefined, mebibytes: number): void {
  if (sessions === undefined) {
    throw new IsobatchError(
      "unavailable",
      "The backend tfjs-node-gpu is unavailable: its memory can't be bounded by ISOBATCH_GPU_MEMORY with an installation that an " +
        "older Isobatch has made; run isobatch tensorflow install --cuda again.",
    );
  }
  sessions.close(sessions.open(encodeGraph([], { otherDevices: true }), encodeLimit(mebibytes)));
}

/**
 * ConfigProto.gpu_options.experimental.virtual_devices[0].memory_limit_mb: the first GPU is one virtual device, with this
 * limit. A process sees one GPU.
 */
export function encodeLimit(mebibytes: number): Encoded {
  const limit = Buffer.alloc(4);
  limit.writeFloatLE(mebibytes);
  return [1, 1, 9, 6].reduce<Buffer>(
    (message, field) => Buffer.concat([Buffer.from([(field << 3) | 2, message.length]), message]),
    limit,
  );
}
