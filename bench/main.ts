/**
 * `npm run bench [-- SCENARIO…]`: one JSON line a scenario, on this machine. Ratios within one line count; absolute
 * times drift with whatever else the machine does.
 */
import { gradientScenario } from "./gradients.js";
import { kernelScenario } from "./kernels.js";
import { stepScenario } from "./steps.js";
import { wireScenario } from "./wire.js";

const scenarios: Record<string, () => unknown> = {
  kernels: kernelScenario,
  gradients: gradientScenario,
  wire: wireScenario,
  steps: () => stepScenario("mnist"),
};

const wanted = process.argv.slice(2);
const unknown = wanted.find((name) => !(name in scenarios));
if (unknown !== undefined) {
  console.error(`bench: there is no scenario "${unknown}"; there are ${Object.keys(scenarios).join(", ")}.`);
  process.exit(2);
}
for (const [name, scenario] of Object.entries(scenarios)) {
  if (wanted.length === 0 || wanted.includes(name)) console.log(JSON.stringify(await scenario()));
}
