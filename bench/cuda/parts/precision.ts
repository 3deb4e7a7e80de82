/**
 * Finds out which precision products are computed in: how many bits of a factor's mantissa change the result. Also times one
 * micro-batch's gradient in TF32, as `gradients` does in float32.
 */

import { type Backend, openBackend } from "../../../backends/index.js";
import { factorBits, PRODUCT_KINDS, type ProductKind } from "../../../backends/precision/factor-bits.test.helper.js";
import { settings } from "../../../backends/settings.test.helper.js";
import { MANTISSA_BITS, PRECISIONS, type Precision } from "../../../shared/precision.js";
import { measure } from "../../gradients.js";
import { median } from "../../statistics.js";
import { openGradientOf } from "../../worker-gradient.js";
import { CHECKED_MODELS, type CheckedModelName, checkedModel } from "../models.js";
import type { CheckPart, PartContext, Saying } from "../report.js";
import { timesOf } from "../times.js";

export type PrecisionRow =
  | { readonly kind: "factors"; readonly precision: Precision; readonly product: ProductKind; readonly bits: number }
  | { readonly kind: "gradient"; readonly model: CheckedModelName; readonly precision: "tf32"; readonly ms: number };

const FLOAT32_BITS = 23;
/** In the first gradients the model is traced, compiled and proven. */
const FIRST = 5;
const MEASURING = { runsMax: 15, msMax: 1500 };
/** No model is timed when less time is left. */
const LEAST_MS = 6000;

export const part: CheckPart<PrecisionRow> = async (context, say) => {
  const backend = await openBackend(context.backend, settings);
  for (const precision of PRECISIONS) {
    const expected = MANTISSA_BITS[precision] ?? FLOAT32_BITS;
    for (const product of PRODUCT_KINDS) {
      const bits = backend.inPrecision(precision, () => factorBits(product));
      say.row({ kind: "factors", precision, product, bits });
      if (bits === expected) continue;
      const found = `The product of ${product} takes ${bits} bits of its factors in ${precision}, not ${expected}`;
      // A GPU may lack TF32, or a library may choose another kernel; the result is as good.
      if (precision === "tf32" && bits === FLOAT32_BITS) say.absent(`${found}: TF32 is not used.`);
      else say.fail(`${found}.`);
    }
  }
  if (context.on === "cpu") say.absent("A gradient in TF32 was not timed, because a processor rounds for it.");
  else await timeInTf32(context, backend, say);
};

async function timeInTf32({ size, endsAt }: PartContext, backend: Backend, say: Saying<PrecisionRow>): Promise<void> {
  for (const model of CHECKED_MODELS) {
    if (endsAt - Date.now() < LEAST_MS) {
      say.absent(`The gradient of ${model} in TF32 was not timed: no time was left.`);
      continue;
    }
    const gradient = await openGradientOf(backend, checkedModel(size, model), {
      notice: (line) => say.fail(`${model}: ${line}.`),
      task: { precision: "tf32" },
    });
    measure(gradient.compute, FIRST);
    const times = await timesOf(gradient.compute, MEASURING);
    gradient.close();
    say.row({ kind: "gradient", model, precision: "tf32", ms: median(times) });
  }
}
