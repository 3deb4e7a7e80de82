import { invalid } from "../../shared/errors.js";

/**
 * Checks what can be checked without the model; a thread gets only what can be copied.
 * @throws {IsobatchError} `invalid_input` for what can't be samples
 */
export function checkSamples(samples: unknown): void {
  if (!Array.isArray(samples)) return invalid("The samples are not an array; give an array with one entry per sample.");
  samples.forEach((sample: unknown, i) => {
    if (typeof sample === "string" || (typeof sample === "object" && sample !== null)) return;
    invalid(`Sample ${i} is ${String(sample)}; it must be an array of numbers, a row or a text.`);
  });
}
