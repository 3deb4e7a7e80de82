/**
 * Loads the JavaScript of @tensorflow/tfjs-node-gpu, which @tensorflow/tfjs-node shares: the backend class and its
 * kernels, and nothing else of the package. Its own entry loads TensorFlow.js's union package (with WebGL, and cores of
 * its own where versions differ), looks for a binding in one place only, and fails on Node 23 and later, which dropped
 * functions of `util` that it calls.
 *
 * So while its files load, what they ask for is answered here, and for them alone: `@tensorflow/tfjs` is the very
 * core that computes in this thread; `util` has its former functions; the protocol buffers of SavedModels, which no
 * training needs, are left out. With that the package needs none of its dependencies. Its kernels also call some
 * operations as methods of tensors, which the union package adds to them, and so does this.
 */
import { createRequire, Module } from "node:module";
import { join, sep } from "node:path";
import * as util from "node:util";
import { messageOf } from "../../shared/errors.js";
import { core } from "../../tasks/tfjs/core.js";
import { layers } from "../../tasks/tfjs/layers.js";
import { withoutStatus } from "./status.js";

/** A value of an operation's attribute, with the type that the C API wants. */
export interface OperationAttribute {
  readonly name: string;
  /** One of the binding's TF_ATTR_… constants. */
  readonly type: number;
  readonly value: unknown;
}

/** A tensor as the binding tells of it. */
export interface TensorMetadata {
  /** Never given again. */
  readonly id: number;
  readonly shape: readonly number[];
  /** TensorFlow's number of the element type. */
  readonly dtype: number;
}

/** The package's native half, of which only this is used here. */
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
  /** Of each tensor; `values`, if they are not null, have not been handed to TensorFlow yet. */
  readonly tensorMap: { get(dataId: object): { readonly id: number; readonly values: unknown } };
  readSync(dataId: object): core.backend_util.TypedArray;
  /** Hands to TensorFlow what has not been yet. */
  getInputTensorIds(tensors: core.TensorInfo[]): number[];
  /** Makes a tensor of tfjs of an operation's output. */
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

/** The operations that kernels of the package call as methods: of Prelu, ArgMax, ArgMin, Exp. */
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
 * @param folder of the package; its kernels are registered in this thread on the first call.
 * @throws when it isn't the package, or not one of this form.
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
        sayingWhy(new NodeJSKernelBackend(binding, `@tensorflow/tfjs-node${binding.isUsingGpuDevice() ? "-gpu" : ""}`)),
    };
    loaded.set(folder, nativePackage);
    return nativePackage;
  } finally {
    hooked._load = load;
  }
}

/**
 * The backend with errors of one line that name the operation and TensorFlow's reason. The binding's own are of two lines,
 * the first of which, a status's number, says nothing to people.
 */
function sayingWhy(backend: NativeBackend): NativeBackend {
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
