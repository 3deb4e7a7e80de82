/** Compares dropout's masks with those that wasm draws in another process, and the small ones with their definition in integers. */

import { fileURLToPath } from "node:url";
import { referenceFactors } from "../../../backends/dropout.test.helper.js";
import { openBackend } from "../../../backends/index.js";
import { settings } from "../../../backends/settings.test.helper.js";
import { lastLine, runChild } from "../child.js";
import { digestOf, factorsOf, maskCases } from "../masks.js";
import type { CheckPart } from "../report.js";

export interface MaskRow {
  readonly shape: readonly number[];
  readonly rate: number;
  /** The fraction of the elements that it keeps. */
  readonly kept: number;
  readonly sameAsWasm: boolean;
  /** Null: it is too large to compute with JavaScript's big integers. */
  readonly sameAsDefinition: boolean | null;
}

const PROGRAM = fileURLToPath(new URL("../masks-program.js", import.meta.url));
const DEFINED_MAX = 5000;

export const part: CheckPart<MaskRow> = async (context, say) => {
  const { size, endsAt } = context;
  const others = await runChild(process.execPath, [PROGRAM, "wasm", size], endsAt - Date.now());
  if (others.code !== 0) return say.fail(`wasm's masks could not be drawn: ${lastLine(others.stderr)}`);
  const digests = JSON.parse(lastLine(others.stdout)) as string[];
  await openBackend(context.backend, settings);
  for (const [i, each] of maskCases(size).entries()) {
    const factors = factorsOf(each);
    const sameAsWasm = digestOf(factors) === digests[i];
    const isSmall = factors.length <= DEFINED_MAX;
    const sameAsDefinition = isSmall
      ? digestOf(factors) === digestOf(referenceFactors(each.key, factors.length, each.rate))
      : null;
    const kept = factors.reduce((sum, factor) => sum + Math.sign(factor), 0) / factors.length;
    say.row({ shape: each.shape, rate: each.rate, kept, sameAsWasm, sameAsDefinition });
    const where = `of shape [${each.shape}] and rate ${each.rate}`;
    if (!sameAsWasm) say.fail(`The mask ${where} is not wasm's.`);
    if (sameAsDefinition === false) say.fail(`The mask ${where} is not what its definition says.`);
  }
};
