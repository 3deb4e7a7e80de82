/** Compares gradients at ties and kinks, which random numbers never hit, with Keras'. */
import { openBackend } from "../../../backends/index.js";
import { kinkCases, kinkProblem } from "../../../backends/kinks.test.helper.js";
import { settings } from "../../../backends/settings.test.helper.js";
import type { CheckPart } from "../report.js";

export interface KinksRow {
  readonly cases: number;
  readonly apart: number;
}

export const part: CheckPart<KinksRow> = async ({ backend, on }, say) => {
  await openBackend(backend, settings);
  let apart = 0;
  for (const example of kinkCases) {
    const problem = kinkProblem(example, on === "gpu");
    if (problem === undefined) continue;
    apart++;
    say.fail(`Where elements are equal or functions have kinks, ${example.name}: ${problem}.`);
  }
  say.row({ cases: kinkCases.length, apart });
};
