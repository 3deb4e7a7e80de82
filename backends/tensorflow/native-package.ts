/**
 * Loads the JavaScript of @tensorflow/tfjs-node-gpu, which @tensorflow/tfjs-node shares: the backend class and its
 * kernels, and nothing else of the package. Its own entry loads TensorFlow.js's union package (with WebGL, and a second
 * core where versions differ), looks for a binding in only one place, and fails on Node 23 and later, which dropped
 * functions of `util` that it calls.
 *
 * So while its files load, their requests for modules, and only theirs, are answered here: `@tensorflow/tfjs` is the
 * core that computes in this thread; `util` has the functions that were dropped; the protocol buffers of SavedModels,
 * which training does not need, are left out. The package then needs none of its dependencies. Its kernels also call
 * some operations as methods of tensors; the union package adds these methods, and so does this file.
 */
import { createRequire, Module } from "node:module";
import { join, sep } from "node:path";
import * as util from "node:util";
import { messageOf } from "../../shared/errors.js";
import { core } from "../../tasks/tfjs/core.js";
import { layers } from "../../tasks/tfjs/layers.js";
import { withoutStatus } from "../native-errors.js";

/** A value of an operation's attribute, with the type that the C API wants. */
export interface OperationAttribute {
  readonly name: string;
  /** One of the binding's TF_ATTR_… constants. */
  readonly type: number;
  readonly value: unknown;
}

/** What the binding reports about a tensor. */
export interface TensorMetadata {
  /** Unique: it is never reused. */
  readonly id: number;
  readonly shape: readonly number[];
  /** TensorFlow's number of the element type. */
  readonly dtype: number;
}

/** The part of the package's native half that is used here. */
export interface Binding {
  readonly TF_Version: string;
  readonly TF_ATTR_BOOL: number;
  readonly TF_ATTR_INT: number;
  readonly TF_ATTR_FLOAT: number;
  readonly TF_ATTR_STRING: number;
  readonly TF_ATTR_TYPE: number;
  readonly TF_ATTR_SHAPE: number;
  readonly TF_FLOAT: number;
  readonly TF_INT32: number;
  readonly TF_BOOL: number;
  isUsingGpuDevice(): boolean;
  createTensor(shape: readonly number[], dtype: number, values: unknown): number;
  deleteTensor(id: number): void;
  tensorDataSync(id: number): Float32Array | Int32Array | Uint8Array;
  executeOp(name: string, attributes: OperationAttribute[], inputs: number[], outputs: number): TensorMetadata[];
}

/** The package's backend: a tfjs backend that runs any operation of TensorFlow. */
export interface NativeBackend extends core.KernelBackend {
  binding: Binding;
  /** The record of each tensor; `values`, unless null, have not been passed to TensorFlow yet. */
  readonly tensorMap: { get(dataId: object): { readonly id: number; readonly values: unknown } };
  readSync(dataId: object): core.backend_util.TypedArray;
  /** Passes tensors to TensorFlow that have not been passed yet. */
  getInputTensorIds(tensors: core.TensorInfo[]): number[];
  /** Makes a tfjs tensor of an operation's output. */
  createOutputTensor(output: TensorMetadata): core.Tensor;
  executeSingleOutput(name: string, attributes: OperationAttribute[], inputs: core.TensorInfo[]): core.Tensor;
  executeMultipleOutputs(
    name: string,
    attributes: OperationAttribute[],
    inputs: core.TensorInfo[],
    outputs: number,
  ): core.Tensor[];
}

export interface NativePackage {
  createBackend(binding: Binding): NativeBackend;
}

type Load = (request: string, parent: { filename?: string | null } | undefined, ...rest: unknown[]) => unknown;

const formerUtil = {
  ...util,
  isArray: Array.isArray,
  isNullOrUndefined: (value: unknown): boolean => value === null || value === undefined,
};

/** The operations that kernels of the package (Prelu, ArgMax, ArgMin, Exp) call as methods. */
const methods: Record<string, (this: core.Tensor, other: core.Tensor) => core.Tensor> = {
  add(other) {
    return core.add(this, other);
  },
  sub(other) {
    return core.sub(this, other);
  },
  mul(other) {
    return core.mul(this, other);
  },
  toInt() {
    return core.cast(this, "int32");
  },
  toFloat() {
    return core.cast(this, "float32");
  },
};

const loaded = new Map<string, NativePackage>();

/**
 * @param folder the folder of the package; its kernels are registered in this thread on the first call
 * @throws if it isn't the package, or not in a form that is known
 */
export function loadNativePackage(folder: string): NativePackage {
  const known = loaded.get(folder);
  if (known !== undefined) return known;
  const answers: Record<string, unknown> = {
    "@tensorflow/tfjs": { ...core, ...layers },
    util: formerUtil,
    "./proto/api_pb": {},
  };
  const hooked = Module as unknown as { _load: Load };
  const load = hooked._load;
  hooked._load = function (request, parent, ...rest) {
    const asks = parent?.filename?.startsWith(folder + sep) ?? false;
    return asks && request in answers ? answers[request] : load.call(this, request, parent, ...rest);
  };
  try {
    const require = createRequire(join(folder, "package.json"));
    require("./dist/register_all_kernels.js");
    const prototype = core.Tensor.prototype as unknown as Record<string, unknown>;
    for (const [name, method] of Object.entries(methods)) prototype[name] ??= method;
    const { NodeJSKernelBackend } = require("./dist/nodejs_kernel_backend.js") as {
      NodeJSKernelBackend: new (binding: Binding, packageName: string) => NativeBackend;
    };
    const nativePackage: NativePackage = {
      createBackend: (binding) =>
        // Under the GPU package's name dilated 3D convolutions are allowed, which a CPU cannot compute.
        withReasons(
          new NodeJSKernelBackend(binding, `@tensorflow/tfjs-node${binding.isUsingGpuDevice() ? "-gpu" : ""}`),
        ),
    };
    loaded.set(folder, nativePackage);
    return nativePackage;
  } finally {
    hooked._load = load;
  }
}

/**
 * The backend with one-line errors that name the operation and TensorFlow's reason. The binding's own have two lines,
 * the first of which is only the number of a status.
 */
function withReasons(backend: NativeBackend): NativeBackend {
  const { executeSingleOutput, executeMultipleOutputs } = backend;
  const explained = <T>(operation: string, execute: () => T): T => {
    try {
      return execute();
    } catch (error) {
      throw new Error(`TensorFlow can't compute the operation ${operation}: ${reasonOf(messageOf(error))}`, {
        cause: error,
      });
    }
  };
  backend.executeSingleOutput = (name, ...rest) =>
    explained(name, () => executeSingleOutput.call(backend, name, ...rest));
  backend.executeMultipleOutputs = (name, ...rest) =>
    explained(name, () => executeMultipleOutputs.call(backend, name, ...rest));
  return backend;
}

/**
 * The reason in a message of the binding, e.g. in "Invalid TF_Status: 12\nMessage: {{function_node …}} There is no
 * deterministic kernel. [Op:X] name: ".
 */
export function reasonOf(message: string): string {
  return withoutStatus(message)
    .replace(/\{\{.*?\}\}/gs, "")
    .replace(/\[Op:\w+\].*$/s, "")
    .replace(/\s+/g, " ")
    .trim();
}
