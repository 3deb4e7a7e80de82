/**
 * `npm run bench [-- SCENARIO…]`: one JSON line per scenario, on this machine. Only ratios within one line count; absolute times
 * drift with other load on the machine. Some scenarios run only when they are named:
 *
 * - `pytorch` and `peers` install PyTorch in a cache folder, or use that of `--python PATH`. `peers` alternates for `--rounds`
 *   rounds (5), with `--models mlp,mlp-10m,cnn` and `--transports memory,plain,tls,bfloat16`.
 * - `memory` fails if memory grows over `--micro-batches` (2,000) of them.
 * - `operations` counts the operations of compiled gradients.
 * - `pairs` compares gradients and steps with those of another built checkout (`--other PATH`).
 * - `scaling` has `--parts workers,shards,parameters,simulation`; the first one alternates for `--rounds` rounds, too.
 * - `gradients-against-keras` prints one line per layer, and fails if one of `--backends` computes another number than Keras.
 * - `machine-sums`, `link`, `dashboard` and `bfloat16`.
 */
import { parseArgs } from "node:util";
import type { BackendName } from "../backends/machine/index.js";
import { wholeNumber } from "../cli/option-values.js";
import { IsobatchError, messageOf } from "../shared/errors.js";
import { bfloat16Scenario } from "./bfloat16.js";
import { dashboardScenario } from "./dashboard.js";
import { gradientScenario } from "./gradients.js";
import { kerasScenario, tableOf, wrongIn } from "./keras/scenario.js";
import { kernelScenario } from "./kernels.js";
import { linkScenario } from "./link/scenario.js";
import { machineSumsScenario, machineSumsTable } from "./machine-sums.js";
import { growth, memoryScenario } from "./memory.js";
import type { MeasuredModelName } from "./models.js";
import { operationsScenario } from "./operations.js";
import { pairsScenario } from "./pairs/scenario.js";
import { pythonWithTorch } from "./peers/environment.js";
import { peersScenario } from "./peers/scenario.js";
import { tableOf as tableOfPeers } from "./peers/table.js";
import { pytorchScenario } from "./pytorch.js";
import { scalingScenario } from "./scaling/scenario.js";
import { tablesOf } from "./scaling/table.js";
import { shardScenario } from "./shard.js";
import { stepScenario } from "./steps.js";
import { wireScenario } from "./wire.js";

const { values, positionals: wanted } = parseArgs({
  allowPositionals: true,
  options: {
    python: { type: "string" },
    backend: { type: "string", default: "tfjs-node" },
    backends: { type: "string" },
    models: { type: "string" },
    transports: { type: "string" },
    rounds: { type: "string", default: "5" },
    other: { type: "string" },
    parts: { type: "string" },
    "micro-batches": { type: "string", default: "2000" },
  },
});

/** Why the command fails although everything was measured. */
let failure: string | undefined;

const scenarios: Record<string, () => unknown> = {
  kernels: kernelScenario,
  gradients: gradientScenario,
  wire: wireScenario,
  shard: shardScenario,
  dashboard: dashboardScenario,
  steps: () => stepScenario("mnist"),
  pytorch: async () =>
    pytorchScenario(
      await pythonWithTorch(values.python, console.error),
      values.backend as BackendName,
      values.models?.split(",") as MeasuredModelName[] | undefined,
    ),
  peers: async () => {
    const lines = await peersScenario(
      {
        ...{ python: values.python, backend: values.backend, rounds: wholeNumber("--rounds", 1, 100)(values.rounds) },
        ...{ models: values.models?.split(","), transports: values.transports?.split(",") },
      },
      console.error,
    );
    console.error(tableOfPeers(lines));
    return lines;
  },
  pairs: () =>
    pairsScenario(
      {
        ...{ other: values.other, rounds: wholeNumber("--rounds", 1, 100)(values.rounds) },
        ...{
          backends: values.backends?.split(","),
          models: values.models?.split(","),
          parts: values.parts?.split(","),
        },
      },
      console.error,
    ),
  scaling: async () => {
    const rounds = wholeNumber("--rounds", 1, 100)(values.rounds);
    const lines = await scalingScenario({ rounds, parts: values.parts?.split(",") }, console.error);
    console.error(tablesOf(lines));
    return lines;
  },
  "machine-sums": () => {
    const lines = machineSumsScenario();
    console.error(machineSumsTable(lines));
    return lines;
  },
  operations: operationsScenario,
  link: () => linkScenario(console.error),
  bfloat16: () => bfloat16Scenario(values.models?.split(","), (line) => console.error(JSON.stringify(line))),
  memory: async () => {
    const microBatches = wholeNumber("--micro-batches", 4, 1_000_000)(values["micro-batches"]);
    const memory = await memoryScenario(microBatches, values.backends?.split(","), values.models?.split(","));
    failure = growth(memory);
    return memory;
  },
  "gradients-against-keras": async () => {
    const lines = await kerasScenario(values.backends?.split(","));
    console.error(tableOf(lines));
    failure = wrongIn(lines);
    return lines;
  },
};
const onlyWhenNamed = new Set([
  "machine-sums",
  "operations",
  "dashboard",
  "pytorch",
  "peers",
  "pairs",
  "scaling",
  "link",
  "bfloat16",
  "memory",
  "gradients-against-keras",
]);

const unknown = wanted.find((name) => !(name in scenarios));
if (unknown !== undefined) {
  console.error(`bench: unknown scenario "${unknown}"; choose from ${Object.keys(scenarios).join(", ")}.`);
  process.exit(2);
}
try {
  for (const [name, scenario] of Object.entries(scenarios)) {
    if (wanted.length === 0 ? !onlyWhenNamed.has(name) : wanted.includes(name)) {
      const result = await scenario();
      for (const line of Array.isArray(result) ? result : [result]) console.log(JSON.stringify(line));
    }
  }
  if (failure !== undefined) throw new Error(failure);
} catch (error) {
  console.error(`bench: ${messageOf(error)}`);
  process.exit(error instanceof IsobatchError ? error.exitCode : 1);
}
