/** Settings in the form of environment variables that a worker takes. */
import { type GradientFlip, parseGradientFlip } from "../compute/index.js";
import { invalid } from "../shared/errors.js";
import type { Settings } from "./types/run.js";

/** ISOBATCH_PATIENCE: how long a compute thread may be at one thing; the variable is in seconds. */
export function patienceMs({ ISOBATCH_PATIENCE: text }: Settings): number | undefined {
  if (!text) return undefined;
  const seconds = Number(text);
  if (seconds >= 1 && seconds <= 1e6) return 1_000 * seconds;
  return invalid(`ISOBATCH_PATIENCE is ${JSON.stringify(text)}; it takes seconds, from 1 to 1000000.`);
}

/** ISOBATCH_FLIP_GRADIENT_BIT: for tests only. */
export function gradientFlip({ ISOBATCH_FLIP_GRADIENT_BIT: text }: Settings): GradientFlip | undefined {
  return text ? parseGradientFlip(text) : undefined;
}
