/**
 * Rounding to fewer bits of mantissa, by TensorFlow's operations: its cast to bfloat16 rounds to nearest, ties to even;
 * for tf32, for which it has no type, the bits are rounded as integers.
 */
import { MANTISSA_BITS } from "../../shared/precision.js";
import { type KernelCall, replaceKernel, type TensorInfo } from "../kernels.js";
import { ROUND_MANTISSA, type RoundAttributes } from "../precision/round.js";
import type { NativeBackend, OperationAttribute, TensorMetadata } from "./native-package.js";

export function registerRound(): void {
  replaceKernel("tensorflow", ROUND_MANTISSA, round);
}

type Call = KernelCall<{ x: TensorInfo }, RoundAttributes>;

/** TensorFlow's number for bfloat16, a type for which neither the binding nor tfjs has a name. */
const BFLOAT16 = 14;
const MANTISSA = 23;

function round({ inputs: { x }, attrs: { bits }, backend }: Call): TensorInfo {
  const native = backend as NativeBackend;
  const [id] = native.getInputTensorIds([x]);
  return withOperations(native, (operations) =>
    bits === MANTISSA_BITS.bfloat16 ? roundedByCast(operations, id) : roundedAsInteger(operations, id, MANTISSA - bits),
  );
}

function roundedByCast({ float, run, type }: Operations, x: number): number {
  const short = run("Cast", [type("SrcT", float), type("DstT", BFLOAT16)], x);
  return run("Cast", [type("SrcT", BFLOAT16), type("DstT", float)], short);
}

/** Adds just under half a unit of the last kept place, or half a unit if that place is odd, and drops the rest. */
function roundedAsInteger({ float, int, run, type, constant }: Operations, x: number, cut: number): number {
  const bits = run("Bitcast", [type("T", float), type("type", int)], x);
  const ofInt = [type("T", int)];
  const odd = run("BitwiseAnd", ofInt, run("RightShift", ofInt, bits, constant(cut)), constant(1));
  const up = run("AddV2", ofInt, bits, run("AddV2", ofInt, odd, constant((1 << (cut - 1)) - 1)));
  const kept = run("BitwiseAnd", ofInt, up, constant(-1 << cut));
  const rounded = run("Bitcast", [type("T", int), type("type", float)], kept);
  // A NaN's carry could reach its sign, or make it infinite.
  return run("SelectV2", [type("T", float)], run("IsNan", [type("T", float)], x), x, rounded);
}

interface Operations {
  readonly float: number;
  readonly int: number;
  type(name: string, value: number): OperationAttribute;
  constant(value: number): number;
  /** Runs an operation with one output, and returns that tensor's number. */
  run(name: string, attributes: OperationAttribute[], ...inputs: number[]): number;
}

/**
 * Computes with tensors that only TensorFlow knows, and frees them even if that fails.
 * @param body returns the number of the one that is kept, as a tensor of tfjs
 */
function withOperations(native: NativeBackend, body: (operations: Operations) => number): TensorInfo {
  const { binding } = native;
  const made = new Map<number, TensorMetadata>();
  const constants: number[] = [];
  let kept: number | undefined;
  try {
    kept = body({
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
    });
    return native.createOutputTensor(made.get(kept)!);
  } finally {
    for (const id of [...constants, ...made.keys()]) if (id !== kept) binding.deleteTensor(id);
  }
}
