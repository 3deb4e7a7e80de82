/**
 * `npm run check:cuda`: whether an NVIDIA GPU computes right here, and how fast. The last line of standard output has
 * all of it as JSON: versions, every kernel that training calls against the cpu backend, gradients at kinks and where elements
 * are equal against Keras', compiled gradients in two partitions against the operations one by one, training steps of an MLP and
 * a ResNet-18 on real digits, the same bits from a second process, samples per second. It fails, with a sentence on standard
 * error, if there is no GPU or anything is wrong; it never passes without having computed.
 *
 * `--on cpu` has TensorFlow compute on the processor instead, which says nothing of a GPU and shows that the check
 * itself works; `--quick` makes it short.
 */
import { execFile } from "node:child_process";
import { fileURLToPath } from "node:url";
import { parseArgs, promisify } from "node:util";
import { collectReport } from "../../cli/doctor/collect.js";
import { messageOf } from "../../shared/errors.js";
import { openBackend, probeBackend } from "../../worker/backends/index.js";
import { type AgreementReport, compareKernels, TOLERANCE } from "../../worker/backends/kernel-agreement.test.helper.js";
import { kinkCases, kinkProblem } from "../../worker/backends/kinks.test.helper.js";
import type { TwoPartitionsAnswer } from "../../worker/compute/two-partitions-program.test.helper.js";
import { type CheckedModel, type CheckSize, FALLS_TO } from "./tasks.js";
import type { TrainingReport } from "./train-program.js";

interface TrainingCheck {
  readonly steps: number;
  readonly firstLoss: number;
  /** Of the same step on the wasm backend. */
  readonly firstLossOnWasm: number;
  /** The mean of the last quarter. */
  readonly lastLoss: number;
  readonly samplesPerSecond: number;
  readonly stateHash: string;
  /** Whether a second process came to the same bits. */
  readonly repeats: boolean;
}

/** Two float32 computations of a loss, through a whole model. */
const LOSS_TOLERANCE = 1e-4;
const TRAIN_MS_MAX = 1_800_000;
/** Small models, so what takes longer hangs. */
const COMPILED_MS_MAX = 240_000;

const fail = (sentence: string, code = 1): never => {
  process.stderr.write(`check:cuda: ${sentence}\n`);
  process.exit(code);
};

const { on, quick } = readOptions();
const backend = on === "gpu" ? "tfjs-node-gpu" : "tfjs-node";
const size: CheckSize = quick ? "quick" : on;
const { available, reason } = await probeBackend(backend);
if (!available) {
  const hint = on === "gpu" ? "; nothing was checked (--on cpu tries the check itself, on the processor)" : "";
  fail(`${backend} is unavailable: ${reason}${hint}.`);
}

const doctor = await collectReport({ ...process.env });
const failures: string[] = [];
const kernels = checkKernels(await compareKernels(backend, "cpu"));
const kinks = await checkKinks();
const compiled = await checkCompiled();
const training = { mlp: await checkTraining("mlp"), resnet18: await checkTraining("resnet18") };
const ok = failures.length === 0;
const report = { check: "cuda", on, ok, failures, backend, doctor, kernels, kinks, compiled, training };
process.stdout.write(`${JSON.stringify(report)}\n`);
if (!ok) fail(failures.join(" "));
process.exit(0);

function readOptions(): { on: "gpu" | "cpu"; quick: boolean } {
  try {
    const options = { on: { type: "string", default: "gpu" }, quick: { type: "boolean", default: false } } as const;
    const { values } = parseArgs({ options });
    if (values.on !== "gpu" && values.on !== "cpu") return fail(`--on is "${values.on}"; it must be gpu or cpu.`, 2);
    return { on: values.on, quick: values.quick };
  } catch (error) {
    return fail(messageOf(error), 2);
  }
}

function checkKernels({ kernels, withoutCounterpart, failed, total, reference }: AgreementReport) {
  for (const { during, message } of failed) failures.push(`${during} can't be computed: ${message.split("\n")[0]}.`);
  const apart = kernels.filter(({ worst }) => !(worst <= 1));
  for (const { kernel, error, reduction, during } of apart) {
    failures.push(`${kernel} is ${error} off the ${reference} backend (sums of ${reduction}; in ${during}).`);
  }
  if (withoutCounterpart.length > 0) failures.push(`No other backend has ${withoutCounterpart.join(", ")}.`);
  if (kernels.length === 0) failures.push("No kernel was compared.");
  const compared = { kernels: kernels.length, calls: kernels.reduce((sum, { calls }) => sum + calls, 0), total };
  return {
    reference,
    tolerance: `${TOLERANCE} · √(length of the sum)`,
    ...compared,
    apart,
    worst: kernels.slice(0, 5),
  };
}

/** Gradients where elements are equal or functions have kinks, which the numbers above never meet, against Keras'. */
async function checkKinks(): Promise<{ cases: number; apart: string[] }> {
  await openBackend(backend);
  const apart = kinkCases.flatMap((example) => {
    const problem = kinkProblem(example, on === "gpu");
    return problem === undefined ? [] : [`${example.name}: ${problem}`];
  });
  for (const problem of apart) failures.push(`Where elements are equal or functions have kinks, ${problem}.`);
  return { cases: kinkCases.length, apart };
}

/** A process of its own, because one whose graph waits for itself can only be killed. */
async function checkCompiled(): Promise<TwoPartitionsAnswer[]> {
  process.stderr.write(`compiling gradients on ${backend}\n`);
  const file = "../../worker/compute/two-partitions-program.test.helper.js";
  const args = [fileURLToPath(new URL(file, import.meta.url)), backend];
  const limits = { timeout: COMPILED_MS_MAX, killSignal: "SIGKILL" } as const;
  const { stdout, problem } = await promisify(execFile)(process.execPath, args, limits).then(
    ({ stdout }) => ({ stdout, problem: undefined }),
    ({ stdout = "", killed, stderr }: { stdout?: string; killed?: boolean; stderr?: string }) => ({
      stdout,
      problem: killed
        ? `hangs (no answer in ${COMPILED_MS_MAX / 1000} s)`
        : `fails: ${stderr?.trim().split("\n").at(-1)}`,
    }),
  );
  const lines = stdout.split("\n").filter((line) => line !== "");
  const answers = lines.map((line) => JSON.parse(line) as TwoPartitionsAnswer);
  if (problem !== undefined) failures.push(`A compiled gradient ${problem}, after ${answers.length} models.`);
  for (const { model, sameBits, refusals } of answers) {
    if (!sameBits) failures.push(`The compiled gradient of ${model} has other bits than the operations one by one.`);
    for (const refusal of refusals) failures.push(`${model}: ${refusal}.`);
  }
  return answers;
}

async function checkTraining(model: CheckedModel): Promise<TrainingCheck> {
  const first = await train(backend, model);
  const second = await train(backend, model);
  const [firstLossOnWasm] = (await train("wasm", model, 1)).losses;
  const { losses, samplesPerSecond, stateHash } = first;
  const last = losses.slice(-Math.ceil(losses.length / 4));
  const lastLoss = last.reduce((sum, loss) => sum + loss, 0) / last.length;
  const repeats = second.stateHash === stateHash;
  if (!repeats) failures.push(`Training ${model} twice gives other bits.`);
  if (!(Math.abs(losses[0] - firstLossOnWasm) <= LOSS_TOLERANCE * firstLossOnWasm)) {
    failures.push(`The first loss of ${model} is ${losses[0]}; on wasm it is ${firstLossOnWasm}.`);
  }
  if (!(lastLoss < FALLS_TO[model] * losses[0])) {
    failures.push(`The loss of ${model} has gone from ${losses[0]} to ${lastLoss}.`);
  }
  return {
    steps: losses.length,
    firstLoss: losses[0],
    firstLossOnWasm,
    lastLoss,
    samplesPerSecond,
    stateHash,
    repeats,
  };
}

async function train(on: string, model: CheckedModel, steps?: number): Promise<TrainingReport> {
  process.stderr.write(`training ${model} on ${on}\n`);
  const program = fileURLToPath(new URL("./train-program.js", import.meta.url));
  const args = [program, on, size, model, ...(steps === undefined ? [] : [String(steps)])];
  const { stdout } = await promisify(execFile)(process.execPath, args, { timeout: TRAIN_MS_MAX });
  return JSON.parse(stdout.trim().split("\n").at(-1)!) as TrainingReport;
}
