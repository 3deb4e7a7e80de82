/** Copies between tfjs's tensors and the vectors in the worker's shared memories. */
import type { BackendWasm } from "@tensorflow/tfjs-backend-wasm";
import type { Backend } from "../../backends/index.js";
import type { LayoutTensor } from "../../shared/layout/index.js";
import { core as tf } from "../../tasks/tfjs/core.js";
import { type Addresses, type MemoryPlan, type SharedMemory, viewElements } from "../memory.js";

export interface Copies {
  /** A new tensor with the values of `tensor` in the vector at `from`. */
  read(tensor: LayoutTensor, from: Addresses): tf.Tensor;
  /** Writes the values of a tensor, or zeros, to the place of `tensor` in the vector at `to`. */
  write(values: tf.Tensor | undefined, tensor: LayoutTensor, to: Addresses): void;
  /** Where the values of `tensor` are stored in the vector at `of`: in one array, or in several, in order. */
  views(tensor: LayoutTensor, of: Addresses): Float32Array[];
}

export function createCopies(memory: SharedMemory, backend: Backend): Copies {
  // The wasm backend immediately copies values into its own heap, so views can be passed to it. Any other backend may
  // keep
  // the array it is given, and θ changes under it.
  const wasm = backend.name === "wasm" ? (tf.backend() as BackendWasm) : undefined;
  const valuesOf = (tensor: tf.Tensor): Float32Array =>
    (wasm?.typedArrayFromHeap(tensor) ?? tensor.dataSync()) as Float32Array;
  const parts = new Map(memory.plan.layout.tensors.map((tensor) => [tensor.name, partsOf(tensor, memory.plan)]));
  const views = (tensor: LayoutTensor, of: Addresses): Float32Array[] =>
    parts.get(tensor.name)!.map(({ segment, at, length }) => viewElements(memory, of, segment, at, length));

  return {
    views,
    read(tensor, from) {
      const read = views(tensor, from);
      if (wasm !== undefined && read.length === 1) return tf.tensor(read[0], [...tensor.shape]);
      const values = new Float32Array(tensor.length);
      let filled = 0;
      for (const view of read) {
        values.set(view, filled);
        filled += view.length;
      }
      return tf.tensor(values, [...tensor.shape]);
    },
    write(tensor, place, to) {
      const values = tensor === undefined ? undefined : valuesOf(tensor);
      let written = 0;
      for (const view of views(place, to)) {
        if (values === undefined) view.fill(0);
        else view.set(values.subarray(written, written + view.length));
        written += view.length;
      }
    },
  };
}

/** Where a tensor is stored: in one segment, or in several. */
function partsOf(tensor: LayoutTensor, plan: MemoryPlan): { segment: number; at: number; length: number }[] {
  return plan.segments.flatMap((segment, i) => {
    const at = Math.max(tensor.offset, segment.offset);
    const length = Math.min(tensor.offset + tensor.length, segment.offset + segment.length) - at;
    return length > 0 ? [{ segment: i, at, length }] : [];
  });
}
