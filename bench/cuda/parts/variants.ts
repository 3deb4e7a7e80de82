/**
 * The settings by which TensorFlow may change a program before it computes it: other layouts, fused operations, XLA. Timing each on two
 * models shows which of them pay off on this device. A setting that is slower, or that can't compute a model, is not wrong.
 */
import { fileURLToPath } from "node:url";
import { lastLine, runChild } from "../child.js";
import type { CheckedModelName } from "../models.js";
import type { CheckPart, CheckSize } from "../report.js";
import type { VariantTimes } from "../variants-program.js";

export interface VariantRow extends VariantTimes {
  /** The word of ISOBATCH_TENSORFLOW_PROGRAM. */
  readonly variant: string;
  /** Whether its bits are those of the plain program. */
  readonly sameBits: boolean;
}

/** The setting that the others are compared with. */
export const PLAIN = "plain";
const VARIANTS = [PLAIN, "layout", "remap", "grappler", "xla"];
const MODELS: Record<CheckSize, readonly CheckedModelName[]> = {
  gpu: ["resnet18", "gpt"],
  cpu: ["resnet18", "gpt"],
  quick: ["mlp-512"],
};
/** The longest that a setting may take: XLA compiles for a long time. */
const VARIANT_MS_MAX = 30_000;
const LEAST_MS = 3000;

const PROGRAM = fileURLToPath(new URL("../variants-program.js", import.meta.url));

export const part: CheckPart<VariantRow> = async ({ backend, size, endsAt }, say) => {
  const plain = new Map<CheckedModelName, string | null>();
  for (const variant of VARIANTS) {
    const limitMs = Math.min(VARIANT_MS_MAX, endsAt - Date.now() - 500);
    if (limitMs < LEAST_MS) {
      say.absent(`${variant} was not timed: no time was left.`);
      continue;
    }
    const env = { ...process.env, ISOBATCH_TENSORFLOW_PROGRAM: variant };
    const args = [PROGRAM, backend, size, ...MODELS[size]];
    const { code, isLate, stdout, stderr } = await runChild(process.execPath, args, limitMs, { env });
    for (const line of stdout.split("\n").filter((line) => line.startsWith("{"))) {
      const times = JSON.parse(line) as VariantTimes;
      if (variant === PLAIN) plain.set(times.model, times.digest);
      say.row({ variant, ...times, sameBits: times.digest !== null && plain.get(times.model) === times.digest });
    }
    if (isLate) say.absent(`${variant} did not end within ${Math.round(limitMs / 1000)} s.`);
    else if (code !== 0) say.absent(`${variant} failed (${lastLine(stderr)}).`);
  }
};
