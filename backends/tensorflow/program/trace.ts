/**
 * Records the operations that the package's kernels run on TensorFlow, through a binding that notes each of them.
 */
import type { TensorInfo } from "@tensorflow/tfjs-core";
import { type Computation, type Numbers, type Trace, UncompilableError } from "../../compiler.js";
import type { Binding, NativeBackend, OperationAttribute, TensorMetadata } from "../native-package.js";

/** The number by which the binding knows a tensor; it is never reused. */
export type TensorId = number;

/** A tensor that JavaScript made, or that existed before. */
export interface HostTensor {
  readonly type: number;
  readonly shape: readonly number[];
  readonly values: Numbers;
}

export interface TracedOperation {
  readonly name: string;
  readonly attributes: readonly OperationAttribute[];
  readonly inputs: readonly TensorId[];
  readonly outputs: readonly TensorMetadata[];
}

export interface TensorFlowTrace extends Trace {
  readonly list: readonly TracedOperation[];
  /** The tensors that operations take and none of them produces, except the variables and inputs. */
  readonly constants: ReadonlyMap<TensorId, HostTensor>;
  readonly computation: Computation;
  /** Undefined if no operation has used the tensor. */
  readonly variables: readonly (TensorId | undefined)[];
  readonly inputs: readonly (TensorId | undefined)[];
  readonly outputs: readonly (TensorId | undefined)[];
}

/** Operations whose results differ each time, or whose result's shape depends on the values. */
const UNCOMPILED = new Set(["Multinomial", "Where", "Unique", "UniqueV2", "NonMaxSuppressionV3", "RandomUniform"]);

export function trace(native: NativeBackend, compute: () => Computation): TensorFlowTrace {
  const { binding } = native;
  const list: TracedOperation[] = [];
  const made = new Map<TensorId, HostTensor>();
  const read = new Set<object>();
  let refusal: string | undefined;

  const noting: Pick<Binding, "executeOp" | "createTensor"> = {
    executeOp(name, attributes, inputs, count) {
      const outputs = binding.executeOp(name, attributes, inputs, count);
      if (UNCOMPILED.has(name)) refusal ??= `it uses the operation ${name}`;
      list.push({ name, attributes, inputs: [...inputs], outputs });
      return outputs;
    },
    createTensor(shape, type, values) {
      const id = binding.createTensor(shape, type, values);
      if (ArrayBuffer.isView(values)) made.set(id, { type, shape: [...shape], values: values as Numbers });
      else refusal ??= "it makes tensors of strings";
      return id;
    },
  };
  const readSync = native.readSync;
  native.binding = { ...functionsOf(binding), ...noting };
  native.readSync = (dataId) => {
    read.add(dataId);
    if (native.tensorMap.get(dataId).values === null) refusal ??= "it reads what it has computed";
    return readSync.call(native, dataId);
  };
  let computation: Computation;
  try {
    computation = compute();
  } finally {
    native.binding = binding;
    native.readSync = readSync;
  }
  if (computation.inputs.some(({ dataId }) => read.has(dataId))) refusal ??= "it reads its inputs";
  if (refusal !== undefined) throw new UncompilableError(refusal);

  const idOf = ({ dataId }: TensorInfo): TensorId | undefined => {
    const { values, id } = native.tensorMap.get(dataId);
    return values === null ? id : undefined;
  };
  // First the outputs: one that no operation has used, such as zeros, becomes a tensor of TensorFlow only now.
  const outputs = computation.outputs.map((tensor) => tensor && native.getInputTensorIds([tensor])[0]);
  const [variables, inputs] = [computation.variables.map(idOf), computation.inputs.map(idOf)];
  const known = new Set([...variables, ...inputs]);
  const given = new Set(list.flatMap((operation) => operation.outputs.map(({ id }) => id)));
  const constants = new Map<TensorId, HostTensor>();
  for (const id of [...list.flatMap((operation) => operation.inputs), ...outputs]) {
    if (id === undefined || known.has(id) || given.has(id) || constants.has(id)) continue;
    constants.set(id, made.get(id) ?? fetch(binding, id));
  }
  return { operations: list.length, list, constants, computation, variables, inputs, outputs };
}

/** The binding's own properties can be neither enumerated nor replaced. */
export const functionsOf = (binding: Binding): Binding =>
  Object.fromEntries(
    Object.getOwnPropertyNames(binding).map((name) => [name, binding[name as keyof Binding]]),
  ) as unknown as Binding;

/** A tensor that existed before the trace. */
function fetch(binding: Binding, id: TensorId): HostTensor {
  const type = (dataType: number): OperationAttribute => ({
    name: "T",
    type: binding.TF_ATTR_TYPE,
    value: dataType,
  });
  const values = binding.tensorDataSync(id);
  const dataType =
    values instanceof Float32Array
      ? binding.TF_FLOAT
      : values instanceof Int32Array
        ? binding.TF_INT32
        : binding.TF_BOOL;
  if (!ArrayBuffer.isView(values)) throw new UncompilableError("it uses a tensor of strings");
  const [copy] = binding.executeOp("Identity", [type(dataType)], [id], 1);
  binding.deleteTensor(copy.id);
  return { type: copy.dtype, shape: copy.shape, values: values as Numbers };
}
