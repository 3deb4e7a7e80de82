/**
 * `npm run check:cuda`: whether an NVIDIA GPU computes right here, and how fast beside PyTorch, in at most six minutes. The last line of
 * standard output has all of it as JSON (`report.ts`). Each of its parts (`parts.ts`) runs in a process of its own, with a limit of
 * its own; one that fails or hangs does not keep the others from being checked. It fails, with a sentence for each thing that is wrong on
 * standard error, if there is no GPU or anything is wrong; it never passes without having computed. Speed that is
 * less than wanted is shown, and is not wrong.
 *
 * - `--on cpu` has TensorFlow compute on the processor instead, with compiled gradients on a second, virtual device. That says
 *   nothing of a GPU, and shows that the check itself works. `--quick` makes it short.
 * - `--parts a,b` checks these only.
 * - `--torch PATH` names the Python that has PyTorch; by default it is the first on the path.
 * - `--seconds N` scales all limits to another sum than 345 s.
 * - `--table FILE` checks nothing: it renders a report that was kept in a file as Markdown.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { collectReport } from "../../cli/doctor/collect.js";
import { messageOf } from "../../shared/errors.js";
import { probeBackend } from "../../worker/backends/index.js";
import { runChild } from "./child.js";
import { type CheckOptions, readOptions } from "./options.js";
import { PART_NAMES, PART_SECONDS } from "./parts.js";
import type { CheckReport, PartContext, PartName, PartReport } from "./report.js";
import { runPart } from "./run-part.js";
import { parseReport, tableOf } from "./table.js";
import { lineOf, targetsOf, unlikeModels } from "./targets.js";

/** A processor's programs are computed on a second, virtual device, and their bits count, as on a GPU. */
const AS_ON_A_GPU = "split";

const say = (line: string): void => void process.stderr.write(`check:cuda: ${line}\n`);
const fail = (sentence: string, code = 1): never => {
  say(sentence);
  process.exit(code);
};

for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));

const options = optionsOrEnd();
if (options.table !== undefined) {
  process.stdout.write(`${renderedOrEnd(options.table)}\n`);
  process.exit(0);
}
const report = await check(options);
process.stdout.write(`${JSON.stringify(report)}\n`);
for (const target of report.targets) say(lineOf(target));
for (const failure of report.failures) say(failure);
process.exit(report.ok ? 0 : 1);

function optionsOrEnd(): CheckOptions {
  try {
    return readOptions(process.argv.slice(2));
  } catch (error) {
    return fail(messageOf(error), 2);
  }
}

function renderedOrEnd(file: string): string {
  try {
    return tableOf(parseReport(readFileSync(file, "utf8"), file));
  } catch (error) {
    return fail(messageOf(error));
  }
}

async function check({ on, quick, parts: chosen, seconds: secondsMax, torch }: CheckOptions): Promise<CheckReport> {
  const started = performance.now();
  const backend = on === "gpu" ? "tfjs-node-gpu" : "tfjs-node";
  const { available, reason } = await probeBackend(backend);
  if (!available) {
    const hint = on === "gpu" ? "; nothing was checked (--on cpu tries the check itself, on the processor)" : "";
    fail(`${backend} is unavailable: ${reason}${hint}.`);
  }
  const at = new Date().toISOString();
  const doctor = await collectReport({ ...process.env });
  const context = { on, backend, size: quick ? "quick" : on, torch } as const;
  const parts = await runParts(chosen, secondsMax, context);
  const failures = Object.entries(parts).flatMap(([name, part]) => part.failures.map((line) => `${name}: ${line}`));
  failures.push(...unlikeModels(parts as CheckReport["parts"]));
  return {
    ...{ check: "cuda", on, quick, ok: failures.length === 0, failures, at, commit: await commitOf() },
    ...{ seconds: Math.round((performance.now() - started) / 1000), secondsMax, backend, doctor },
    ...{ parts: parts as CheckReport["parts"], targets: on === "gpu" ? targetsOf(parts as CheckReport["parts"]) : [] },
  };
}

/** One after the other; what a part leaves of its time is there for those after it. */
async function runParts(
  chosen: readonly PartName[],
  secondsMax: number,
  context: Pick<PartContext, "on" | "backend" | "size" | "torch">,
): Promise<Record<string, PartReport<object>>> {
  const parts: Record<string, PartReport<object>> = {};
  const all = PART_NAMES.reduce((sum, name) => sum + PART_SECONDS[name], 0);
  const env = { ...process.env };
  if (context.on === "cpu") env.ISOBATCH_TENSORFLOW_PROGRAM ??= AS_ON_A_GPU;
  const place = mkdtempSync(join(tmpdir(), "isobatch-check-"));
  process.once("exit", () => rmSync(place, { recursive: true, force: true }));
  let ends = Date.now();
  for (const name of chosen) {
    ends += 1000 * secondsMax * (PART_SECONDS[name] / all);
    const limitSeconds = Math.round((ends - Date.now()) / 1000);
    const folder = join(place, name);
    mkdirSync(folder);
    const given: PartContext = { ...context, folder, endsAt: Date.now() + 1000 * limitSeconds };
    parts[name] = await runPart({ args: [name, JSON.stringify(given)], limitSeconds, env });
    rmSync(folder, { recursive: true, force: true });
    const { ok, seconds, absent } = parts[name];
    say(`${name}: ${ok ? "right" : "WRONG"}, ${seconds} s${absent.map((line) => `; ${line}`).join("")}`);
  }
  return parts;
}

async function commitOf(): Promise<string | null> {
  const { code, stdout } = await runChild("git", ["rev-parse", "--short", "HEAD"], 5000, { cwd: import.meta.dirname });
  return code === 0 ? stdout.trim() : null;
}
