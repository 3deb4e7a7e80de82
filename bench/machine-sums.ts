/**
 * What a server would save on its network if each machine's workers added their sums before pushing them: bytes of sums per
 * parameter and step, computed from the tree of sums and the coordinator's own assignment of leaves. Nothing is run.
 */
import { shareItems } from "../server/coordinator/core/board.js";
import { canonicalNodes, type Interval } from "../shared/sums/index.js";
import { markdownTable } from "./markdown-table.js";

export interface MachineSumsLine {
  readonly machines: number;
  /** The workers of each machine. */
  readonly workers: number;
  /** κ. */
  readonly microBatches: number;
  /** Bytes today, when each worker pushes the nodes of its lease. */
  readonly apart: number;
  /** Bytes if each machine pushes the nodes of its workers' leases, where the machines' workers have joined in turns. */
  readonly added: number;
  /** The same bytes if a machine's workers get neighbouring leases. */
  readonly neighbours: number;
}

const MACHINES = [1, 2, 4];
const WORKERS = [2, 4, 8];
const MICRO_BATCHES = [2, 4, 8, 16, 32, 64];

/** A node with one leaf is that leaf's gradient; a node with several leaves is S1 and S2. */
const BYTES_LEAF = 4;
const BYTES_SUMS = 8;

/** The bytes per parameter of the nodes that cover the ranges. */
export function bytesOf(ranges: readonly Interval[], leaves: number): number {
  return ranges
    .flatMap(({ lo, hi }) => canonicalNodes(lo, hi, leaves))
    .reduce((sum, { lo, hi }) => sum + (hi - lo === 1 ? BYTES_LEAF : BYTES_SUMS), 0);
}

/** The ranges in ascending order, with adjacent ones joined. */
export function joined(ranges: readonly Interval[]): Interval[] {
  const whole: { lo: number; hi: number }[] = [];
  for (const { lo, hi } of [...ranges].sort((a, b) => a.lo - b.lo)) {
    const last = whole.at(-1);
    if (last?.hi === lo) last.hi = hi;
    else whole.push({ lo, hi });
  }
  return whole;
}

export function machineSums(machines: number, workers: number, microBatches: number): MachineSumsLine {
  /** @param order the machine of each worker, in the order in which they joined. */
  const leases = (order: readonly number[]): Interval[][] => {
    const candidates = order.map((_, i) => ({ worker: String(i), itemMs: undefined, given: 0 }));
    const shares = shareItems([{ lo: 0, hi: microBatches }], candidates);
    return Array.from({ length: machines }, (_, machine) =>
      shares.filter(({ worker }) => order[Number(worker)] === machine),
    );
  };
  const all = Array.from({ length: machines * workers }, (_, i) => i);
  const byTurns = leases(all.map((i) => i % machines));
  const grouped = leases(all.map((i) => Math.floor(i / workers)));
  const sum = (leased: readonly Interval[][], join: typeof joined): number =>
    leased.reduce((bytes, ranges) => bytes + bytesOf(join(ranges), microBatches), 0);
  return {
    ...{ machines, workers, microBatches },
    apart: sum(byTurns, (ranges) => [...ranges]),
    added: sum(byTurns, joined),
    neighbours: sum(grouped, joined),
  };
}

export function machineSumsScenario(): MachineSumsLine[] {
  return MACHINES.flatMap((machines) =>
    WORKERS.flatMap((workers) =>
      MICRO_BATCHES.filter((microBatches) => microBatches >= machines * workers).map((microBatches) =>
        machineSums(machines, workers, microBatches),
      ),
    ),
  );
}

export function machineSumsTable(lines: readonly MachineSumsLine[]): string {
  return markdownTable(
    ["machines", "workers of each", "κ", "apart", "added, joined in turns", "added, neighbours"],
    lines.map(({ machines, workers, microBatches, apart, added, neighbours }) => [
      ...[machines, workers, microBatches],
      ...[apart, added, neighbours],
    ]),
  );
}
