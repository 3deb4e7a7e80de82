/**
 * What TensorFlow itself does for a precision. A GPU's tensor cores multiply float32 numbers as TF32: they round the
 * factors to 10 bits themselves, and multiply factors that were rounded to bfloat16, which has fewer bits, exactly. On
 * a CPU factors are rounded here, and then multiplied in float32.
 */
import { IsobatchError } from "../../shared/errors.js";
import { MANTISSA_BITS, type Precision } from "../../shared/precision.js";
import { BY_ROUNDING } from "../implementation.js";

/** How a device's products are computed: `cpu`, or a GPU whose TF32 can be switched on and off, or not. */
export type ProductDevice = "cpu" | "gpu" | "gpu without a switch";

export interface Products {
  /** Whether TF32 must be on. */
  readonly tf32: boolean;
  /** The bits of mantissa that factors must be rounded to before the device multiplies them; undefined: no rounding. */
  readonly bits: number | undefined;
}

/** @throws {IsobatchError} `unavailable` if the device does not have this precision. */
export function productsOn(device: ProductDevice, precision: Precision): Products {
  const bits = MANTISSA_BITS[precision];
  if (device === "cpu") return { tf32: false, bits };
  if (device === "gpu") return { tf32: precision !== "float32", bits: precision === "tf32" ? undefined : bits };
  if (precision !== "tf32") return { tf32: false, bits };
  throw new IsobatchError(
    "unavailable",
    "The task's precision is \"tf32\", which this installation of TensorFlow, made by an older Isobatch, can't switch on; run " +
      "isobatch tensorflow install --cuda again.",
  );
}

/** The precisions that a device has, and how, in words. */
export const PRECISIONS_ON: Readonly<Record<ProductDevice, string>> = {
  cpu: BY_ROUNDING,
  gpu: "float32; tf32 on tensor cores, where the GPU has them for it; bfloat16 by rounding factors, then as tf32",
  "gpu without a switch": "float32; bfloat16 by rounding factors; tf32 after isobatch tensorflow install --cuda",
};
