/**
 * The gradient of one micro-batch on one thread of the native backend, compared with PyTorch's on one thread for the same model
 * and shapes. Every round measures both in turn, so that a machine that slows down for a while slows both. Ours is all that a
 * worker does for a micro-batch (see worker-gradient.ts); PyTorch's is its forward and backward pass. Loading the weights
 * counts for neither.
 */
import { spawn } from "node:child_process";
import { createInterface } from "node:readline";
import { fileURLToPath } from "node:url";
import type { BackendName } from "../backends/machine/index.js";
import { measure } from "./gradients.js";
import { type MeasuredModelName, measuredModels } from "./models.js";
import { environment } from "./peers/environment.js";
import { fastest, median, threeDigits } from "./statistics.js";
import { openWorkerGradient } from "./worker-gradient.js";

const ROUNDS = 9;
/** The gradients that one side computes of one model in one round; at least two. */
const ROUND_MS = 400;

export interface PytorchComparison {
  readonly parameters: number;
  readonly ms: number;
  readonly fastestMs: number;
  readonly pytorchMs: number;
  readonly pytorchFastestMs: number;
  /** The median over the rounds of our median divided by PyTorch's. */
  readonly ratio: number;
}

/** @param python an interpreter whose environment holds torch. */
export async function pytorchScenario(
  python: string,
  backend: BackendName,
  models: readonly MeasuredModelName[] = Object.keys(measuredModels) as MeasuredModelName[],
): Promise<Record<string, unknown>> {
  const peer = startPeer(python);
  try {
    const { version } = (await peer.answer()) as { version: string };
    const results: Record<string, PytorchComparison> = {};
    for (const name of models) results[name] = await compare(name, backend, peer);
    return { scenario: "pytorch", backend, threads: 1, pytorch: version, rounds: ROUNDS, results };
  } finally {
    peer.stop();
  }
}

async function compare(model: MeasuredModelName, backend: BackendName, peer: Peer): Promise<PytorchComparison> {
  const gradient = await openWorkerGradient(backend, model);
  const ask = async (warmUp: number, measured: number): Promise<PeerTimes> => {
    peer.ask({ model, warmUp, measured });
    return (await peer.answer()) as PeerTimes;
  };
  try {
    const { parameters } = await ask(1, 2);
    if (parameters !== gradient.parameters) {
      throw new Error(`${model} has ${gradient.parameters} parameters here, and ${parameters} in PyTorch`);
    }
    measure(gradient.compute, 3);
    const count = (ms: number): number => Math.max(2, Math.round(ROUND_MS / ms));
    const ours = count(fastest(measure(gradient.compute, 3)));
    const theirs = count(fastest((await ask(1, 3)).ms));
    const rounds: { ms: number[]; pytorchMs: number[] }[] = [];
    for (let round = 0; round < ROUNDS; round++) {
      const ms = measure(gradient.compute, ours);
      rounds.push({ ms, pytorchMs: (await ask(0, theirs)).ms });
    }
    const all = rounds.flatMap(({ ms }) => ms);
    const allPytorch = rounds.flatMap(({ pytorchMs }) => pytorchMs);
    return {
      parameters,
      ms: median(all),
      fastestMs: fastest(all),
      pytorchMs: median(allPytorch),
      pytorchFastestMs: fastest(allPytorch),
      ratio: threeDigits(median(rounds.map(({ ms, pytorchMs }) => median(ms) / median(pytorchMs)))),
    };
  } finally {
    gradient.dispose();
  }
}

interface PeerTimes {
  readonly ms: number[];
  readonly parameters: number;
}

interface Peer {
  ask(request: object): void;
  /** The next line it prints. */
  answer(): Promise<unknown>;
  stop(): void;
}

function startPeer(python: string): Peer {
  const script = fileURLToPath(new URL("../../bench/peers/gradients.py", import.meta.url));
  const child = spawn(python, [script], { env: environment, stdio: ["pipe", "pipe", "inherit"] });
  const failed = new Promise<never>((_, reject) => {
    const sentence = (why: string): Error =>
      new Error(`${python} could not run ${script} (${why}); name with --python an interpreter that has torch.`);
    child.once("error", (error) => reject(sentence(error.message)));
    child.once("exit", (code) => reject(sentence(`exit code ${code}`)));
  });
  failed.catch(() => {}); // reported where an answer is awaited
  const lines = createInterface(child.stdout)[Symbol.asyncIterator]();
  return {
    ask: (request) => void child.stdin.write(`${JSON.stringify(request)}\n`),
    async answer() {
      const { value, done } = await Promise.race([lines.next(), failed]);
      return done ? failed : JSON.parse(value);
    },
    stop: () => void child.kill(),
  };
}
