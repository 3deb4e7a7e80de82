import { loadavg } from "node:os";
import { availableCores } from "../../shared/machine/index.js";
import { chosen } from "../chosen.js";
import { type BenchMachine, benchMachine } from "../machine.js";
import { measuredModels } from "../models.js";
import { median } from "../statistics.js";
import {
  checkTrained,
  type Group,
  groupsFor,
  type Length,
  MODEL_NAMES,
  type ModelName,
  type ProcessLayout,
  type Ratio,
  ratioOf,
  type TrainedOnce,
  turned,
} from "./comparison.js";
import { type PeerTrained, trainPeer } from "./ddp.js";
import { pythonWithTorch } from "./environment.js";
import { parametersOf, TRANSPORT_NAMES, type TransportName, trainOurs } from "./ours.js";

export interface PeersOptions {
  /** An interpreter that has PyTorch; by default PyTorch is installed. */
  readonly python?: string;
  readonly backend: string;
  readonly rounds: number;
  readonly models?: readonly string[];
  readonly transports?: readonly string[];
}

/** The machine and the versions, on every line. */
export interface Machine extends BenchMachine {
  readonly pytorch: string;
  /** The load average over a minute before the first run: other work on the machine. */
  readonly load: number;
}

/** A cell of the table: one model, one layout, one transport. */
export interface PeersLine {
  readonly scenario: "peers";
  readonly machine: Machine;
  readonly rounds: number;
  readonly model: ModelName;
  readonly parameters: number;
  readonly batch: number;
  readonly microBatchesPerStep: number;
  readonly workers: number;
  readonly computeThreads: number;
  readonly transport: TransportName;
  readonly measured: PeerTimes;
}

export interface PeerTimes {
  /** Medians over the rounds. */
  readonly ms: number;
  readonly wallMs: number;
  /** DistributedDataParallel with one process per core. */
  readonly ddp: PyTorchTimes;
  /** PyTorch on as many cores in other ways, e.g. one process of two threads. */
  readonly others: readonly PyTorchTimes[];
}

/** PyTorch's times, and ours divided by them. */
export interface PyTorchTimes extends ProcessLayout {
  readonly ratio: Ratio;
  /** The ratio by the wall clock, in which the time between steps counts too. */
  readonly ratioByWall: Ratio;
  readonly ms: number;
  readonly wallMs: number;
}

const LENGTHS: Record<ModelName, Length> = {
  mlp: { steps: 220, warmUp: 20 },
  "mlp-10m": { steps: 70, warmUp: 20 },
  cnn: { steps: 70, warmUp: 20 },
};

export async function peersScenario(options: PeersOptions, notice: (text: string) => void): Promise<PeersLine[]> {
  const models = chosen("--models", options.models, MODEL_NAMES);
  const transports = chosen("--transports", options.transports, TRANSPORT_NAMES);
  // Programs that are running are ended as this process exits; a signal would otherwise skip that.
  for (const signal of ["SIGINT", "SIGTERM"] as const) process.once(signal, () => process.exit(1));
  const python = await pythonWithTorch(options.python, notice);
  const load = Number(loadavg()[0].toFixed(1));
  const lines: PeersLine[] = [];
  for (const model of models) {
    for (const group of groupsFor(availableCores())) {
      lines.push(...(await compare({ ...options, model, group, transports, python, load, notice })));
    }
  }
  return lines;
}

interface Comparison {
  readonly model: ModelName;
  readonly group: Group;
  readonly transports: readonly TransportName[];
  readonly python: string;
  readonly load: number;
  readonly backend: string;
  readonly rounds: number;
  readonly notice: (text: string) => void;
}

/** A run that every round makes, and its result in each round. */
interface Turn {
  readonly name: string;
  readonly perform: () => Promise<TrainedOnce>;
  readonly results: TrainedOnce[];
}

async function compare(comparison: Comparison): Promise<PeersLine[]> {
  const { model, group, transports, rounds, load } = comparison;
  const parameters = await parametersOf(model);
  const peers = group.layouts.map((layout) => ({ layout, turn: peerTurn(comparison, layout, parameters) }));
  const cells = group.layouts.flatMap((layout) =>
    transports.map((transport) => ({ layout, transport, turn: ourTurn(comparison, layout, transport) })),
  );
  const turns = [...peers, ...cells].map(({ turn }) => turn);
  await takeTurns(turns, comparison);

  const [ddp, ...others] = peers;
  const { version } = ddp.turn.results[0] as PeerTrained;
  const machine = { ...benchMachine(), pytorch: version, load };
  const same = { machine, rounds, model, parameters, batch: measuredModels[model].batch };
  return cells.map(({ layout, transport, turn }) => ({
    ...{ scenario: "peers", ...same, microBatchesPerStep: group.kappa },
    ...{ workers: layout.processes, computeThreads: layout.threads, transport },
    measured: {
      ...{ ms: stepMs(turn), wallMs: wallMs(turn) },
      ddp: pyTorchTimes(turn, ddp),
      others: others.map((other) => pyTorchTimes(turn, other)),
    },
  }));
}

async function takeTurns(turns: readonly Turn[], { rounds, notice }: Comparison): Promise<void> {
  for (let round = 0; round < rounds; round++) {
    for (const { name, perform, results } of turned(turns, round)) {
      const result = await perform();
      checkTrained(name, result.losses);
      results.push(result);
      const times = `${result.stepMs.toPrecision(3)} ms per step, ${result.wallMs.toPrecision(3)} by the wall clock`;
      notice(`round ${round + 1} of ${rounds}: ${name}: ${times}`);
    }
  }
}

function peerTurn({ model, group, python }: Comparison, layout: ProcessLayout, parameters: number): Turn {
  const perform = async (): Promise<PeerTrained> => {
    const trained = await trainPeer(python, model, layout, group.kappa, LENGTHS[model]);
    if (trained.parameters === parameters) return trained;
    throw new Error(`${model} has ${parameters} parameters here, and ${trained.parameters} in PyTorch`);
  };
  return { name: `${model}, PyTorch ${inWords(layout)}`, perform, results: [] };
}

function ourTurn({ model, group, backend }: Comparison, layout: ProcessLayout, transport: TransportName): Turn {
  const perform = (): Promise<TrainedOnce> => trainOurs(model, transport, layout, group.kappa, LENGTHS[model], backend);
  return { name: `${model}, Isobatch ${inWords(layout)}, ${transport}`, perform, results: [] };
}

function pyTorchTimes(ours: Turn, { layout, turn }: { layout: ProcessLayout; turn: Turn }): PyTorchTimes {
  const times = (key: "stepMs" | "wallMs"): [number[], number[]] => [
    ours.results.map((result) => result[key]),
    turn.results.map((result) => result[key]),
  ];
  return {
    ratio: ratioOf(...times("stepMs")),
    ratioByWall: ratioOf(...times("wallMs")),
    ...{ ...layout, ms: stepMs(turn), wallMs: wallMs(turn) },
  };
}

const stepMs = ({ results }: Turn): number => median(results.map((result) => result.stepMs));
const wallMs = ({ results }: Turn): number => median(results.map((result) => result.wallMs));
const inWords = ({ processes, threads }: ProcessLayout): string => `${processes} × ${threads}`;
