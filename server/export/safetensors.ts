import { dirname } from "node:path";
import { makeFolderDurably, writeFileDurably } from "../../shared/durable-file.js";
import type { Layout } from "../../shared/layout/index.js";
import { encodeHeader } from "../checkpoint/index.js";

/**
 * Writes only the weights, under their names, as one safetensors file; an existing file is replaced.
 * @param theta the whole flat vector
 * @param metadata strings for readers of the file, e.g. the task and the step
 */
export function exportSafetensors(
  layout: Layout,
  theta: Float32Array,
  file: string,
  metadata: Readonly<Record<string, string>> = {},
): void {
  if (theta.length !== layout.length) throw new RangeError(`${theta.length} weights for a layout of ${layout.length}`);
  makeFolderDurably(dirname(file));
  const data = new Uint8Array(theta.buffer, theta.byteOffset, theta.byteLength);
  writeFileDurably(file, [encodeHeader(layout.tensors, metadata), data]);
}
