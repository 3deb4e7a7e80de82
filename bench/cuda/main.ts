/**
 * `npm run check:cuda`: whether an NVIDIA GPU computes correctly on this machine, and how fast it is next to PyTorch, in at most
 * six minutes. The last line of standard output is the report, in JSON (`report.ts`). Each part (`parts.ts`) runs in its own
 * process with its own time limit, so a part that fails or hangs does not stop the others. The check fails if there is no GPU or
 * anything is wrong, and prints a sentence for each fault to standard error; it never passes without having computed anything.
 * Speed below its target is shown, but does not make the check fail.
 *
 * - `--on cpu` makes TensorFlow compute on the processor instead, with compiled gradients on a second, virtual device. That says
 *   nothing about a GPU, but shows that the check itself works. `--quick` makes it short.
 * - `--parts a,b` checks only these parts.
 * - `--torch PATH` names the Python that has PyTorch; by default it is the first on the path.
 * - `--seconds N` scales all limits so that they add up to N instead of 345 s.
 * - `--table FILE` checks nothing: it renders a report that was saved in a file as Markdown.
 */
import { mkdirSync, mkdtempSync, readFileSync, rmSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { probeBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { collectReport } from "../../cli/doctor/collect.js";
import { messageOf } from "../../shared/errors.js";
import { runChild } from "./child.js";
import { type CheckOptions, readOptions } from "./options.js";
import { PART_NAMES, PART_SECONDS } from "./parts.js";
import type { CheckReport, PartContext, PartName, PartReport } from "./report.js";
import { runPart } from "./run-part.js";
import { parseReport, tableOf } from "./table.js";
import { lineOf, targetsOf, unlikeModels } from "./targets.js";

/** Computes programs on a second, virtual device, and takes their bits for the gradient's, as on a GPU. */
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
  const { available, reason } = await probeBackend(backend, settings);
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

/** Runs the parts one after another. The time that one does not use is left for the next. */
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
