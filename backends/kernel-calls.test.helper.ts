/**
 * Kernel calls, kept as one backend made them and made again by another: so each kernel is compared by itself, on the
 * very numbers that training gives it, and no error of one hides behind that of the next.
 */
import * as tf from "@tensorflow/tfjs-core";

/** A tensor's values, apart from any backend. */
export interface Stored {
  readonly shape: readonly number[];
  readonly dtype: tf.DataType;
  readonly values: ArrayLike<number>;
}

export interface KernelCallRecord {
  readonly kernel: string;
  readonly inputs: Readonly<Record<string, Stored>>;
  readonly attributes: tf.NamedAttrMap;
  readonly outputs: readonly Stored[];
  /** What was computed when it was called. */
  readonly during: string;
}

export interface KernelRecorder {
  /** Calls of different kernels, shapes, types or attributes: the first of each. */
  readonly calls: readonly KernelCallRecord[];
  /** How many calls there were in all. */
  readonly total: number;
  /** Says what is computed from now on. */
  begin(during: string): void;
  /** Puts the kernels back as they were. */
  stop(): void;
}

/** Listens to all kernels of the current backend. */
export function recordKernelCalls(): KernelRecorder {
  const calls = new Map<string, KernelCallRecord>();
  let total = 0;
  let during = "";
  const backend = tf.backend();
  const store = ({ dataId, shape, dtype }: tf.TensorInfo): Stored => ({
    shape: [...shape],
    dtype,
    values: Array.from(backend.readSync(dataId) as ArrayLike<number>),
  });
  const originals = tf.getKernelsForBackend(tf.getBackend()).map((config) => {
    const { kernelName, kernelFunc } = config;
    config.kernelFunc = (call) => {
      total += 1;
      const given = Object.entries(call.inputs as unknown as Record<string, tf.TensorInfo | null | undefined>).filter(
        (entry): entry is [string, tf.TensorInfo] => entry[1] != null,
      );
      const types = given.map(([name, { shape, dtype }]) => `${name}:${dtype}[${shape}]`);
      const key = [kernelName, ...types, JSON.stringify(call.attrs)].join(" ");
      if (calls.has(key)) return kernelFunc(call);
      // Before it runs: some kernels pass their input on.
      const inputs = Object.fromEntries(given.map(([name, info]) => [name, store(info)]));
      const result = kernelFunc(call);
      const outputs = (Array.isArray(result) ? result : [result]).map(store);
      const attributes = structuredClone((call.attrs ?? {}) as tf.NamedAttrMap);
      calls.set(key, { kernel: kernelName, inputs, attributes, outputs, during });
      return result;
    };
    return { config, kernelFunc };
  });
  return {
    get calls() {
      return [...calls.values()];
    },
    get total() {
      return total;
    },
    begin(what) {
      during = what;
    },
    stop() {
      for (const { config, kernelFunc } of originals) config.kernelFunc = kernelFunc;
    },
  };
}

/**
 * Makes a call again on the current backend.
 * @returns undefined if that has no such kernel.
 */
export function repeatCall({ kernel, inputs, attributes }: KernelCallRecord): Stored[] | undefined {
  if (tf.getKernel(kernel, tf.getBackend()) === undefined) return undefined;
  const results: Stored[] = [];
  tf.tidy(() => {
    const entries = Object.entries(inputs).map(([name, { shape, dtype, values }]) => [
      name,
      tensorOf(shape, dtype, values),
    ]);
    const isList = entries.every(([name], i) => name === String(i)) && entries.length > 0;
    const given = isList ? entries.map(([, tensor]) => tensor) : Object.fromEntries(entries);
    const found = tf.engine().runKernel(kernel, given as tf.NamedTensorMap, attributes) as unknown as
      | tf.Tensor
      | tf.Tensor[];
    for (const tensor of Array.isArray(found) ? found : [found]) {
      results.push({ shape: tensor.shape, dtype: tensor.dtype, values: Array.from(tensor.dataSync()) });
    }
  });
  return results;
}

function tensorOf(shape: readonly number[], dtype: tf.DataType, values: ArrayLike<number>): tf.Tensor {
  const typed =
    dtype === "float32"
      ? Float32Array.from(values)
      : dtype === "bool"
        ? Uint8Array.from(values)
        : Int32Array.from(values);
  return tf.tensor(typed, [...shape], dtype as "float32");
}
