// `npm run simulate -- SEEDS [FIRST]`: simulates the cluster with that many seeds, starting from FIRST (default 1).
import { spawnSync } from "node:child_process";
import { fileURLToPath } from "node:url";

const [seeds = "1000", first = "1"] = process.argv.slice(2);
if (![seeds, first].every((word) => /^[1-9]\d{0,8}$/.test(word))) {
  console.error(`simulate: "${seeds} ${first}" is not SEEDS [FIRST]; both must be whole numbers of at least 1.`);
  process.exit(2);
}
const test = fileURLToPath(new URL("../dist/test/simulation/simulation.test.js", import.meta.url));
const env = { ...process.env, ISOBATCH_SIMULATION_SEEDS: seeds, ISOBATCH_SIMULATION_SEED: first };
const { status } = spawnSync(process.execPath, ["--test", test], { stdio: "inherit", env });
process.exit(status ?? 1);
