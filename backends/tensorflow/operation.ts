/** Runs TensorFlow's operations by name, as kernels do. */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import type { Binding, NativeBackend, OperationAttribute } from "./native-package.js";

/** Makes an attribute, given the binding that numbers its type. */
export type Attribute = (binding: Binding) => OperationAttribute;

export const floatType =
  (name: string): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_FLOAT });

export const intType =
  (name: string): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_TYPE, value: binding.TF_INT32 });

export const flag =
  (name: string, value: boolean): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_BOOL, value });

export const number =
  (name: string, value: number): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_FLOAT, value });

export const integer =
  (name: string, value: number): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_INT, value });

export const integers =
  (name: string, value: readonly number[]): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_INT, value });

export const text =
  (name: string, value: string): Attribute =>
  (binding) => ({ name, type: binding.TF_ATTR_STRING, value });

/** Runs an operation with one output. */
export function run(backend: unknown, name: string, attributes: Attribute[], inputs: TensorInfo[]): TensorInfo {
  const native = backend as NativeBackend;
  return native.executeSingleOutput(name, bind(native, attributes), inputs);
}

/** Runs an operation with several outputs. */
export function runAll(
  backend: unknown,
  name: string,
  attributes: Attribute[],
  inputs: TensorInfo[],
  outputs: number,
): TensorInfo[] {
  const native = backend as NativeBackend;
  return native.executeMultipleOutputs(name, bind(native, attributes), inputs, outputs);
}

const bind = ({ binding }: NativeBackend, attributes: Attribute[]): OperationAttribute[] =>
  attributes.map((attribute) => attribute(binding));

/** Whether a kernel's operations run on a GPU. */
export const isOnGpu = (backend: unknown): boolean => (backend as NativeBackend).binding.isUsingGpuDevice();
