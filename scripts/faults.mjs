// `npm run faults -- [WORDS…]`: every fault that the tests inject, including those that `npm test` has no time for, then a
// table of the results. Words choose files in test/faults. `npm run faults -- ends RUNS [FIRST]` makes that many short
// runs with broken connections, starting from seed FIRST.
import { spawnSync } from "node:child_process";
import { existsSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { dirname, join } from "node:path";
import { fileURLToPath } from "node:url";

const [numbers, words] = [/^\d+$/, /\D/].map((kind) => process.argv.slice(2).filter((word) => kind.test(word)));
const paths = words.length === 0 ? ["test/faults/"] : words.map((word) => `test/faults/${word}`);
const folder = mkdtempSync(join(tmpdir(), "isobatch-figures-"));
const file = join(folder, "figures.jsonl");
const endsFile = join(folder, "ends.jsonl");

const linesOf = (path) => (existsSync(path) ? readFileSync(path, "utf8").trim().split("\n").map(JSON.parse) : []);

/** The figure that `share` of the sorted figures do not exceed; undefined if there are none. */
const quantile = (sorted, share) => sorted[Math.min(sorted.length - 1, Math.floor(share * sorted.length))];
const seconds = (ms) => (ms === undefined ? "" : (ms / 1000).toFixed(2));

function row(fault, figures) {
  const recoveries = figures.flatMap(({ recoveryMs }) => recoveryMs ?? []).sort((a, b) => a - b);
  const recomputed = figures.map(({ recomputedSteps }) => recomputedSteps);
  const steps = figures.reduce((sum, figure) => sum + figure.steps, 0);
  const total = recomputed.reduce((sum, value) => sum + value, 0);
  return {
    fault,
    "same bits": `${figures.filter(({ same }) => same).length}/${figures.length}`,
    "recomputed steps, most": Math.max(...recomputed),
    "recomputed work": `${((100 * total) / steps).toFixed(1)} %`,
    "recovery p50, s": seconds(quantile(recoveries, 0.5)),
    "recovery p99, s": seconds(quantile(recoveries, 0.99)),
  };
}

/** Each value with its count: "199 × 0, 1 × 13". */
function tally(values) {
  const counts = new Map();
  for (const value of values) counts.set(value, (counts.get(value) ?? 0) + 1);
  return [...counts].map(([value, count]) => `${count} × ${value}`).join(", ");
}

function printEnds(ends) {
  console.log(`${ends.length} runs with broken connections`);
  console.log(`  exit codes of servers   ${tally(ends.map(({ serverExit }) => serverExit))}`);
  console.log(`  exit codes of workers   ${tally(ends.flatMap(({ workerExits }) => workerExits))}`);
  console.log(`  stateHash               ${tally(ends.map(({ stateHash }) => stateHash))}`);
  console.log(`  lock files left         ${ends.filter(({ lockLeft }) => lockLeft).length}`);
  console.log(`  processes left          ${ends.reduce((sum, { processesLeft }) => sum + processesLeft, 0)}`);
  console.log(`  connections made        ${ends.reduce((sum, { connections }) => sum + connections, 0)}`);
}

let status = 1;
try {
  const runner = join(dirname(fileURLToPath(import.meta.url)), "test.mjs");
  const [runs = 12, first = 1] = numbers;
  const ends = { ISOBATCH_ENDS: `${runs}`, ISOBATCH_ENDS_FIRST: `${first}`, ISOBATCH_ENDS_FIGURES: endsFile };
  const env = { ...process.env, ISOBATCH_FAULTS_FIGURES: file, ...ends };
  status = spawnSync(process.execPath, [runner, "--all", ...paths], { stdio: "inherit", env }).status ?? 1;
  const figures = linesOf(file);
  // Dying at the same point is one kind of fault, whichever time the point is passed.
  const kindOf = ({ fault }) => fault.replace(/:\d+$/, "");
  const kinds = [...new Set(figures.map(kindOf))].sort();
  const rows = kinds.map((kind) =>
    row(
      kind,
      figures.filter((figure) => kindOf(figure) === kind),
    ),
  );
  if (figures.length > 0) console.table([...rows, row("all", figures)]);
  const ended = linesOf(endsFile);
  if (ended.length > 0) printEnds(ended);
} finally {
  rmSync(folder, { recursive: true, force: true });
}
process.exit(status);
