/**
 * Compares this checkout with another one that is built. In each round both compute the same gradients, one right after the other,
 * and the one that was first is second in the next round. So other load on the machine slows both, and only ratios within a round
 * count. Steps of a whole cluster are compared in the same way.
 */
import { type ChildProcess, execFile, fork } from "node:child_process";
import { existsSync } from "node:fs";
import { dirname, join, resolve } from "node:path";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import type { BackendName } from "../../backends/machine/index.js";
import { invalid } from "../../shared/errors.js";
import { answerOf, ended } from "../child-answer.js";
import { chosen } from "../chosen.js";
import { type Ratio, ratioOf } from "../peers/comparison.js";
import { fastest, median } from "../statistics.js";

const PAIRED_MODELS = ["mlp", "cnn", "resnet18-small", "gpt-small"] as const;
export type PairedModel = (typeof PAIRED_MODELS)[number];
const PAIRED_BACKENDS = ["tfjs-node", "wasm"] as const satisfies readonly BackendName[];

export interface PairsOptions {
  /** The root of the other checkout. */
  readonly other: string | undefined;
  readonly rounds: number;
  readonly backends: readonly string[] | undefined;
  readonly models: readonly string[] | undefined;
  /** Which of "gradients" and "steps"; default: both. */
  readonly parts: readonly string[] | undefined;
}

export interface PairResult {
  /** The measurement: a backend and a model, as in "tfjs-node mlp", or "step". */
  readonly what: string;
  /** Medians over all rounds. */
  readonly ms: number;
  readonly otherMs: number;
  /** The fastest of all, which other load on the machine changes least. */
  readonly fastestMs: number;
  readonly otherFastestMs: number;
  /** This checkout's time divided by the other's, within a round. */
  readonly ratio: Ratio;
  readonly rounds: number;
}

export interface PairsScenario {
  readonly scenario: "pairs";
  readonly results: readonly PairResult[];
}

/** Gradients that are not timed: the first ones may be computed in another way than all later ones. */
const WARM_UP = 5;
/** How long one side computes in one round: short, so that other load on the machine affects both alike. */
const TURN_MS = 100;
/** Turns of gradients in one of the rounds that the user asks for, since a turn is so short. */
const TURNS_A_ROUND = 5;

export async function pairsScenario(options: PairsOptions, notice: (line: string) => void): Promise<PairsScenario> {
  const other = otherCheckout(options.other);
  const parts = chosen("--parts", options.parts, ["gradients", "steps"]);
  const backends = chosen("--backends", options.backends, PAIRED_BACKENDS);
  const models = chosen("--models", options.models, PAIRED_MODELS);
  const results: PairResult[] = [];
  const add = (result: PairResult): void => {
    results.push(result);
    notice(`${result.what}: ${result.ms} ms, ${result.otherMs} there; ratio ${result.ratio.ratio}`);
  };
  if (parts.includes("gradients")) {
    for (const backend of backends) {
      for (const model of models) add(await compareGradients(other, backend, model, options.rounds));
    }
  }
  if (parts.includes("steps")) add(await compareSteps(other, options.rounds));
  return { scenario: "pairs", results };
}

const HERE = dirname(fileURLToPath(new URL("../..", import.meta.url)));

function otherCheckout(path: string | undefined): string {
  if (path === undefined) return invalid("pairs needs --other PATH, the root of another checkout.");
  const root = resolve(path);
  if (!existsSync(join(root, "dist/bench/worker-gradient.js"))) {
    invalid(`--other is ${path}, which is not a built checkout; run npm ci && npm run build there.`);
  }
  return root;
}

async function compareGradients(
  other: string,
  backend: BackendName,
  model: PairedModel,
  rounds: number,
): Promise<PairResult> {
  const program = fileURLToPath(new URL("./program.js", import.meta.url));
  const children: ChildProcess[] = [];
  try {
    const open = async (root: string): Promise<ChildProcess> => {
      const child = fork(program, [root, backend, model], { stdio: ["ignore", "ignore", "inherit", "ipc"] });
      children.push(child);
      await answerOf(child);
      return child;
    };
    const sides = [await open(HERE), await open(other)];
    const compute = (child: ChildProcess, count: number): Promise<number[]> => {
      const answer = answerOf<number[]>(child);
      child.send(count);
      return answer;
    };
    const first = [await compute(sides[0], WARM_UP), await compute(sides[1], WARM_UP)];
    const count = Math.max(2, Math.round(TURN_MS / Math.max(...first.map(fastest))));
    return await byTurns(`${backend} ${model}`, TURNS_A_ROUND * rounds, (side) => compute(sides[side], count));
  } finally {
    await Promise.all(children.map((child) => ended(child)));
  }
}

async function compareSteps(other: string, rounds: number): Promise<PairResult> {
  return byTurns("step", rounds, async (side) => {
    const program = join([HERE, other][side], "dist/bench/steps.js");
    const { stdout } = await promisify(execFile)(process.execPath, [program]);
    return [(JSON.parse(stdout) as { ms: { step: number } }).ms.step];
  });
}

/** @param times measures once: side 0 is this checkout, side 1 the other. */
async function byTurns(what: string, rounds: number, times: (side: 0 | 1) => Promise<number[]>): Promise<PairResult> {
  const ms: [number[], number[]] = [[], []];
  const least = [Number.POSITIVE_INFINITY, Number.POSITIVE_INFINITY];
  for (let round = 0; round < rounds; round++) {
    for (const side of round % 2 === 0 ? ([0, 1] as const) : ([1, 0] as const)) {
      const measured = await times(side);
      ms[side].push(median(measured));
      least[side] = Math.min(least[side], fastest(measured));
    }
  }
  const [fastestMs, otherFastestMs] = least;
  return { what, ms: median(ms[0]), otherMs: median(ms[1]), fastestMs, otherFastestMs, ratio: ratioOf(...ms), rounds };
}
