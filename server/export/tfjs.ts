import { existsSync, readdirSync } from "node:fs";
import { join } from "node:path";
import { makeFolderDurably, writeFileDurably } from "../../shared/durable-file.js";
import { IsobatchError } from "../../shared/errors.js";
import type { Layout } from "../../shared/layout/index.js";
import { plainNames } from "../../tasks/models/index.js";

/** The size in which tfjs's converter cuts weights, so that browsers can cache the pieces. */
const SHARD_BYTES = 4 * 1024 * 1024;

/**
 * Writes a model in the tfjs LayersModel format: `model.json` with the topology and the list of weights, and the
 * weights in files of 4 MiB. Any tfjs loads it with `loadLayersModel`.
 * @param topology the model's JSON, without weights
 * @param theta the whole flat vector
 * @param folder made if missing; must be empty, because names there might mean something else
 */
export async function exportTfjs(topology: string, layout: Layout, theta: Float32Array, folder: string): Promise<void> {
  if (theta.length !== layout.length) throw new RangeError(`${theta.length} weights for a layout of ${layout.length}`);
  if (existsSync(folder) && readdirSync(folder).length > 0) {
    throw new IsobatchError("invalid_input", `${folder} is not empty; export to a new or an empty folder.`);
  }
  const plain = await plainNames(topology);
  makeFolderDurably(folder);
  const bytes = new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength);
  const shards = Math.ceil(bytes.length / SHARD_BYTES);
  const paths = Array.from({ length: shards }, (_, i) => `group1-shard${i + 1}of${shards}.bin`);
  paths.forEach((path, i) => {
    writeFileDurably(join(folder, path), [bytes.subarray(i * SHARD_BYTES, (i + 1) * SHARD_BYTES)]);
  });
  // The list of weights is written last: a folder that has it is complete.
  const model = {
    format: "layers-model",
    generatedBy: "isobatch",
    convertedBy: null,
    modelTopology: JSON.parse(plain.topology) as unknown,
    weightsManifest: [
      {
        paths,
        weights: layout.tensors.map(({ name, shape }) => ({ name: plain.nameOf(name), shape, dtype: "float32" })),
      },
    ],
  };
  writeFileDurably(join(folder, "model.json"), JSON.stringify(model));
}
