/**
 * How much of a GPU's memory a process may take. TensorFlow takes what it needs and gives none of it back; what it can be told is
 * where that ends. The package's binding, whose context is made when it is loaded, tells it nothing. But all contexts and
 * sessions of a process share one allocator for each GPU, which the first of them makes, with its limit: so a session that
 * does nothing is opened before the binding is loaded.
 */
import { IsobatchError, invalid } from "../../../shared/errors.js";
import { type Encoded, encodeGraph } from "./program/graph-def.js";
import type { SessionAddon } from "./program/session.js";

const GIB_MIN = 0.25;
const GIB_MAX = 1_024;

/**
 * @param variables the process's environment: ISOBATCH_GPU_MEMORY, in GiB
 * @returns in MiB; undefined: no limit but the GPU's
 * @throws {IsobatchError} `invalid_input` if it is no such number
 */
export function gpuMemoryLimit({ ISOBATCH_GPU_MEMORY }: Readonly<NodeJS.ProcessEnv>): number | undefined {
  if (!ISOBATCH_GPU_MEMORY) return undefined;
  const gibibytes = Number(ISOBATCH_GPU_MEMORY);
  if (gibibytes >= GIB_MIN && gibibytes <= GIB_MAX) return Math.floor(gibibytes * 1_024);
  return invalid(
    `ISOBATCH_GPU_MEMORY is ${JSON.stringify(ISOBATCH_GPU_MEMORY)}; it takes GiB of each GPU, from ${GIB_MIN} to ${GIB_MAX}.`,
  );
}

/**
 * Bounds what this process takes of its GPU, before anything else of TensorFlow has seen it.
 * @throws {IsobatchError} `unavailable` if the installation can't
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
