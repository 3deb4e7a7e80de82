/**
 * Rounding to fewer bits of mantissa, of TensorFlow's operations: its cast to bfloat16 rounds so; for tf32, which it has
 * no type for, the bits are rounded as integers.
 */
import { MANTISSA_BITS } from "../../../shared/precision.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { ROUND_MANTISSA, type RoundAttributes } from "../precision/round.js";
import type { NativeBackend, OperationAttribute, TensorMetadata } from "./native-package.js";

export function registerRound(): void {
  replaceKernel("tensorflow", ROUND_MANTISSA, round);
}

type Call = KernelCall<{ x: TensorInfo }, RoundAttributes>;

/** TensorFlow's number of bfloat16, a type that neither the binding nor tfjs has a name for. */
const BFLOAT16 = 14;
const MANTISSA = 23;

function round({ inputs: { x }, attrs: { bits }, backend }: Call): TensorInfo {
  const native = backend as NativeBackend;
  const operations = createOperations(native);
  const [id] = native.getInputTensorIds([x]);
  const rounded =
    bits === MANTISSA_BITS.bfloat16 ? roundedByCast(operations, id) : roundedAsInteger(operations, id, MANTISSA - bits);
  return operations.keep(rounded);
}

function roundedByCast({ float, run, type }: Operations, x: number): number {
  const short = run("Cast", [type("SrcT", float), type("DstT", BFLOAT16)], x);
  return run("Cast", [type("SrcT", BFLOAT16), type("DstT", float)], short);
}

/** Adds just under half of the last place that is kept, and all of it if that is odd; a NaN stays what it is. */
function roundedAsInteger({ float, int, run, type, constant }: Operations, x: number, cut: number): number {
  const bits = run("Bitcast", [type("T", float), type("type", int)], x);
  const ofInt = [type("T", int)];
  const odd = run("BitwiseAnd", ofInt, run("RightShift", ofInt, bits, constant(cut)), constant(1));
  const up = run("AddV2", ofInt, bits, run("AddV2", ofInt, odd, constant((1 << (cut - 1)) - 1)));
  const kept = run("BitwiseAnd", ofInt, up, constant(-1 << cut));
  const rounded = run("Bitcast", [type("T", int), type("type", float)], kept);
  // A NaN's carry could reach its sign, or leave an infinity.
  return run("SelectV2", [type("T", float)], run("IsNan", [type("T", float)], x), x, rounded);
}

interface Operations {
  readonly float: number;
  readonly int: number;
  type(name: string, value: number): OperationAttribute;
  constant(value: number): number;
  /** Runs an operation with one output, whose number it returns. */
  run(name: string, attributes: OperationAttribute[], ...inputs: number[]): number;
  /** Makes this output a tensor of tfjs, and frees all others. */
  keep(id: number): TensorInfo;
}

/** Operations on tensors that only TensorFlow knows. */
function createOperations(native: NativeBackend): Operations {
  const { binding } = native;
  const made = new Map<number, TensorMetadata>();
  const constants: number[] = [];
  return {
    float: binding.TF_FLOAT,
    int: binding.TF_INT32,
    type: (name, value) => ({ name, type: binding.TF_ATTR_TYPE, value }),
    constant(value) {
      const id = binding.createTensor([], binding.TF_INT32, Int32Array.of(value));
      constants.push(id);
      return id;
    },
    run(name, attributes, ...inputs) {
      const [output] = binding.executeOp(name, attributes, inputs, 1);
      made.set(output.id, output);
      return output.id;
    },
    keep(id) {
      for (const other of [...constants, ...made.keys()]) if (other !== id) binding.deleteTensor(other);
      return native.createOutputTensor(made.get(id)!);
    },
  };
}
