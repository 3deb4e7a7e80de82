/** The lines of `scaling` as tables in Markdown. */
import { markdownTable } from "../markdown-table.js";
import type { ScalingLine } from "./scenario.js";

type Of<Part extends ScalingLine["part"]> = Extract<ScalingLine, { part: Part }>;

export function tablesOf(lines: readonly ScalingLine[]): string {
  const of = <Part extends ScalingLine["part"]>(part: Part): Of<Part>[] =>
    lines.filter((line): line is Of<Part> => line.part === part);
  return [
    table(
      [
        "workers (1,000 parameters)",
        "steps/s",
        "coordinator's CPU per lease, ms",
        "÷ one worker's",
        "server's memory, MiB",
      ],
      of("workers").map((row) => [
        row.workers,
        row.stepsPerSecond,
        row.coordinatorMsPerLease,
        row.toOneWorker,
        row.serverMiB,
      ]),
    ),
    table(
      ["shards", "workers", "parameters", "ms/step", "coordinator's CPU per lease, ms", "other shards'"],
      of("shards").map((row) => [
        row.shards,
        row.workers,
        millions(row.parameters),
        row.msPerStep,
        row.coordinatorMsPerLease,
        row.shardsMsPerLease,
      ]),
    ),
    table(
      [
        "parameters",
        "ms/step",
        "ns per parameter",
        "server's CPU per lease, ns per parameter",
        "server's memory, bytes per parameter",
        "a worker's",
      ],
      of("parameters").map((row) => [
        millions(row.parameters),
        row.msPerStep,
        row.nanosecondsPerParameter,
        row.cpuNanosecondsPerParameter,
        row.serverBytesPerParameter ?? "",
        row.workerBytesPerParameter ?? "",
      ]),
    ),
    table(
      [
        "simulated: workers",
        "shards",
        "parameters",
        "computing",
        "link",
        "step",
        "workers compute",
        "coordinator's thread",
        "busiest other shard",
        "busiest link",
        "nodes staged",
      ],
      of("simulation").map((row) => [
        row.workers,
        row.shards,
        millions(row.parameters),
        `${row.microBatches} × ${row.computeMs / 1000} s`,
        `${(row.network.bytesPerSecond * 8) / 1e9} Gbit/s`,
        seconds(row.msPerStep),
        ...[row.computing, row.coordinatorThread, row.busiestShard, row.busiestLink].map(percent),
        row.nodesStaged,
      ]),
    ),
  ]
    .filter((text) => text !== "")
    .join("\n\n");
}

const millions = (count: number): string =>
  count < 100_000 ? count.toLocaleString("en") : `${Number((count / 1e6).toPrecision(3)).toLocaleString("en")} M`;
const seconds = (ms: number): string => `${Number((ms / 1000).toPrecision(3))} s`;
const percent = (share: number): string => `${Math.round(100 * share)} %`;

function table(head: readonly string[], rows: readonly (readonly (string | number)[])[]): string {
  return rows.length === 0 ? "" : markdownTable(head, rows);
}
