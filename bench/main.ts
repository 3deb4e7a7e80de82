/**
 * `npm run bench [-- SCENARIO…]`: one JSON line a scenario, on this machine. Ratios within one line count; absolute
 * times drift with whatever else the machine does. `pytorch` runs only when it is named, with `--python PATH` of an
 * environment that has torch.
 */
import { parseArgs } from "node:util";
import { messageOf } from "../shared/errors.js";
import type { BackendName } from "../worker/backends/index.js";
import { gradientScenario } from "./gradients.js";
import { kernelScenario } from "./kernels.js";
import type { MeasuredModelName } from "./models.js";
import { pytorchScenario } from "./pytorch.js";
import { stepScenario } from "./steps.js";
import { wireScenario } from "./wire.js";

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string", default: "python3" },
    backend: { type: "string", default: "tfjs-node" },
    models: { type: "string" },
  },
});

const scenarios: Record<string, () => unknown> = {
  kernels: kernelScenario,
  gradients: gradientScenario,
  wire: wireScenario,
  steps: () => stepScenario("mnist"),
  pytorch: () =>
    pytorchScenario(
      values.python,
      values.backend as BackendName,
      values.models?.split(",") as MeasuredModelName[] | undefined,
    ),
};
const onlyWhenNamed = new Set(["pytorch"]);

const unknown = wanted.find((name) => !(name in scenarios));
if (unknown !== undefined) {
  console.error(`bench: there is no scenario "${unknown}"; there are ${Object.keys(scenarios).join(", ")}.`);
  process.exit(2);
}
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (wanted.length === 0 ? !onlyWhenNamed.has(name) : wanted.includes(name)) {
      console.log(JSON.stringify(await scenario()));
    }
  }
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exit(1);
}
