/**
 * How a run scales with workers, shards and parameters: measured on this machine with real processes whose workers compute
 * nothing, and far beyond that in a simulation with the measured costs. One line of JSON each.
 */
import { chosen } from "../chosen.js";
import { type BenchMachine, benchMachine } from "../machine.js";
import { median, threeDigits } from "../statistics.js";
import { type ClusterUsage, measureCluster, type ScalingCase } from "./cluster.js";
import { type Costs, type SimulatedCluster, type SimulatedResult, simulateCluster } from "./simulation.js";

export const PARTS = ["workers", "shards", "parameters", "simulation"] as const;
export type ScalingPart = (typeof PARTS)[number];

interface Line {
  readonly scenario: "scaling";
  readonly machine: BenchMachine;
}

export type ScalingLine = Line &
  (
    | ({ readonly part: "workers"; readonly rounds: number } & WorkersRow)
    | ({ readonly part: "shards" } & Row)
    | ({ readonly part: "parameters" } & ParametersRow)
    | ({ readonly part: "costs" } & Costs)
    | ({ readonly part: "simulation" } & SimulatedCluster & SimulatedResult)
  );

interface Row {
  readonly workers: number;
  readonly shards: number;
  readonly parameters: number;
  readonly msPerStep: number;
  readonly coordinatorMsPerLease: number;
  readonly shardsMsPerLease: number;
}

interface WorkersRow extends Row {
  readonly stepsPerSecond: number;
  /** The coordinator's CPU time per lease divided by that with one worker: median over the rounds. */
  readonly toOneWorker: number;
  readonly serverMiB: number;
}

interface ParametersRow extends Row {
  /** Nanoseconds per parameter: of a step, by the clock; and of the server's CPU time for a lease. */
  readonly nanosecondsPerParameter: number;
  readonly cpuNanosecondsPerParameter: number;
  /** Resident memory beyond that with 1,000 parameters, for models that are large enough for it to exceed the noise. */
  readonly serverBytesPerParameter?: number;
  readonly workerBytesPerParameter?: number;
}

export interface ScalingOptions {
  readonly rounds: number;
  readonly parts?: readonly string[];
}

const WORKERS = [1, 2, 4, 8, 16, 32, 64];
const SHARDS = [1, 2, 4];
const PARAMETERS = [100_000, 1_000_000, 10_000_000, 100_000_000];
/** For smaller models a process's memory varies by more than this. */
const MEMORY_FROM = 5_000_000;
const SMALL = 1_000;
/** Enough for each shard to have a few chunks. */
const MEDIUM = 40_000;
/** The least number of steps that is counted for small models, after a third as many to warm up. */
const LEASES = 3_000;
/** The bytes that a measurement of large models moves. */
const PARAMETERS_MOVED = 400_000_000;

export async function scalingScenario(options: ScalingOptions, notice: (text: string) => void): Promise<ScalingLine[]> {
  const parts = chosen("--parts", options.parts, PARTS);
  const common = { scenario: "scaling", machine: benchMachine() } as const;
  const wanted = (part: ScalingPart): boolean => parts.includes(part);
  const measure = async (wanted: ScalingCase): Promise<ClusterUsage> => {
    const measured = await measureCluster(wanted);
    const { workers, shards, parameters, stepsPerSecond, coordinatorMsPerLease } = measured;
    const what = `${workers} workers, ${shards} shards, ${parameters} parameters`;
    notice(
      `${what}: ${threeDigits(stepsPerSecond)} steps/s, ${threeDigits(coordinatorMsPerLease)} ms of the coordinator per lease`,
    );
    return measured;
  };
  const lines: ScalingLine[] = [];
  if (wanted("workers")) {
    const rows = await growWorkers(options.rounds, measure);
    lines.push(...rows.map((row) => ({ ...common, part: "workers" as const, rounds: options.rounds, ...row })));
  }
  if (wanted("shards"))
    lines.push(...(await growShards(measure)).map((row) => ({ ...common, part: "shards" as const, ...row })));
  if (wanted("parameters")) {
    lines.push(...(await growParameters(measure)).map((row) => ({ ...common, part: "parameters" as const, ...row })));
  }
  if (wanted("simulation")) {
    const costs = await measureCosts(measure);
    lines.push({ ...common, part: "costs", ...costs });
    for (const cluster of SIMULATED) {
      const result = simulateCluster(cluster, costs);
      notice(
        `simulated: ${cluster.workers} workers, ${cluster.shards} shards, ${cluster.parameters} parameters: ${threeDigits(result.msPerStep)} ms per step`,
      );
      lines.push({ ...common, part: "simulation", ...cluster, ...result });
    }
  }
  return lines;
}

type Measure = (wanted: ScalingCase) => Promise<ClusterUsage>;

/** A case with a small model and about this many leases, regardless of the number of workers. */
const small = (workers: number, shards = 1, parameters = SMALL): ScalingCase => ({
  ...{ workers, shards, parameters },
  warmUpSteps: Math.ceil(LEASES / 3 / workers),
  steps: Math.ceil(LEASES / workers),
});

const large = (parameters: number, shards = 1): ScalingCase => ({
  ...{ workers: 2, shards, parameters },
  warmUpSteps: Math.max(2, Math.min(500, Math.round(PARAMETERS_MOVED / 2 / parameters))),
  steps: Math.max(3, Math.min(500, Math.round(PARAMETERS_MOVED / parameters))),
});

const rowOf = ({ workers, shards, parameters, ...measured }: ClusterUsage): Row => ({
  ...{ workers, shards, parameters, msPerStep: threeDigits(1000 / measured.stepsPerSecond) },
  coordinatorMsPerLease: threeDigits(measured.coordinatorMsPerLease),
  shardsMsPerLease: threeDigits(measured.shardsMsPerLease),
});

async function growWorkers(rounds: number, measure: Measure): Promise<WorkersRow[]> {
  const found = new Map<number, ClusterUsage[]>(WORKERS.map((workers) => [workers, []]));
  for (let round = 0; round < rounds; round++) {
    for (const workers of WORKERS) found.get(workers)!.push(await measure(small(workers)));
  }
  const alone = found.get(1)!.map(({ coordinatorMsPerLease }) => coordinatorMsPerLease);
  return WORKERS.map((workers) => {
    const measured = found.get(workers)!;
    const of = (key: "stepsPerSecond" | "coordinatorMsPerLease"): number => median(measured.map((each) => each[key]));
    return {
      ...rowOf(measured[0]),
      msPerStep: threeDigits(1000 / of("stepsPerSecond")),
      stepsPerSecond: of("stepsPerSecond"),
      coordinatorMsPerLease: of("coordinatorMsPerLease"),
      toOneWorker: median(measured.map((each, round) => each.coordinatorMsPerLease / alone[round])),
      serverMiB: median(measured.map(({ serverBytes }) => serverBytes[0] / 2 ** 20)),
    };
  });
}

async function growShards(measure: Measure): Promise<Row[]> {
  const rows: Row[] = [];
  for (const shards of SHARDS) rows.push(rowOf(await measure(small(8, shards, MEDIUM))));
  for (const shards of SHARDS) rows.push(rowOf(await measure(large(10_000_000, shards))));
  return rows;
}

async function growParameters(measure: Measure): Promise<ParametersRow[]> {
  const nothing = await measure(small(2));
  const rows: ParametersRow[] = [];
  for (const wanted of PARAMETERS) {
    const measured = await measure(large(wanted));
    const { parameters, workers } = measured;
    const more = (bytes: number, before: number): number => threeDigits((bytes - before) / parameters);
    const { coordinatorMsPerLease: cpuMs, serverBytes, workersBytes } = measured;
    rows.push({
      ...rowOf(measured),
      nanosecondsPerParameter: threeDigits(1e9 / measured.stepsPerSecond / parameters),
      cpuNanosecondsPerParameter: more(1e6 * cpuMs, 1e6 * nothing.coordinatorMsPerLease),
      ...(parameters >= MEMORY_FROM && {
        serverBytesPerParameter: more(serverBytes[0], nothing.serverBytes[0]),
        workerBytesPerParameter: more(workersBytes / workers, nothing.workersBytes / workers),
      }),
    });
  }
  return rows;
}

/** The simulation's costs, as measured on this machine. */
async function measureCosts(measure: Measure): Promise<Costs> {
  const workers = 8;
  const alone = await measure(small(workers, 1, MEDIUM));
  const shared = await measure(small(workers, 4, MEDIUM));
  const heavy = await measure(large(10_000_000));
  const shardPerLease = shared.shardsMsPerLease / 3;
  // Each further shard sends each lease's leaves once, and one commit per step.
  const reports = 3 * (1 + 1 / workers);
  return {
    coordinatorPerLease: Math.max(0, alone.coordinatorMsPerLease - shardPerLease),
    coordinatorPerReport: Math.max(0, (shared.coordinatorMsPerLease - alone.coordinatorMsPerLease) / reports),
    shardPerLease,
    shardPerParameter: (heavy.coordinatorMsPerLease - alone.coordinatorMsPerLease) / heavy.parameters,
  };
}

const LOOPBACK = { bytesPerSecond: 2e9, delayMs: 0.1 };
const TEN_GIGABIT = { bytesPerSecond: 1.25e9, delayMs: 0.1 };
const HUNDRED_GIGABIT = { bytesPerSecond: 12.5e9, delayMs: 0.05 };

/** The first one was also measured. */
const SIMULATED: readonly SimulatedCluster[] = [
  { workers: 2, shards: 1, parameters: 10e6, microBatches: 1, computeMs: 0, network: LOOPBACK, steps: 10 },
  { workers: 64, shards: 1, parameters: 1e3, microBatches: 1, computeMs: 1_000, network: TEN_GIGABIT, steps: 5 },
  { workers: 1_000, shards: 1, parameters: 1e3, microBatches: 1, computeMs: 1_000, network: TEN_GIGABIT, steps: 2 },
  { workers: 64, shards: 8, parameters: 10e6, microBatches: 1, computeMs: 1_000, network: TEN_GIGABIT, steps: 5 },
  { workers: 1_000, shards: 8, parameters: 10e6, microBatches: 1, computeMs: 1_000, network: TEN_GIGABIT, steps: 2 },
  { workers: 1_000, shards: 64, parameters: 10e6, microBatches: 1, computeMs: 1_000, network: TEN_GIGABIT, steps: 2 },
  { workers: 64, shards: 64, parameters: 10e9, microBatches: 1, computeMs: 60_000, network: HUNDRED_GIGABIT, steps: 2 },
  { workers: 64, shards: 64, parameters: 10e9, microBatches: 8, computeMs: 60_000, network: HUNDRED_GIGABIT, steps: 2 },
  {
    workers: 1_000,
    shards: 64,
    parameters: 10e9,
    microBatches: 1,
    computeMs: 60_000,
    network: HUNDRED_GIGABIT,
    steps: 1,
  },
  {
    workers: 1_000,
    shards: 64,
    parameters: 10e9,
    microBatches: 32,
    computeMs: 60_000,
    network: HUNDRED_GIGABIT,
    steps: 1,
  },
];
