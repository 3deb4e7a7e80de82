/** `isobatch experiment elastic`: one run whose workers join and leave, compared with the same run with one worker. */
import { FLOORS_MAX } from "../../experiment/index.js";
import { type ElasticArm, type ExperimentProgress, experiment } from "../../index.js";
import type { Environment } from "../environment.js";
import { EXIT_INTERRUPTED } from "../failure.js";
import { onInterrupts } from "../interrupts.js";
import { openLog, relayRecord } from "../log.js";
import { reportOnly } from "../output.js";
import { count } from "../progress/format.js";
import { table } from "../progress/table.js";

/** As commander reads them from the command line. */
export interface ElasticFlags {
  readonly arms: readonly string[];
  readonly workers: readonly number[];
  readonly samples: number;
  readonly lr: number;
  readonly seed: number;
  readonly backend: string;
  readonly out: string;
}

/** Resolves with the process's exit code: 1 if an invariant arm did not coincide, or if replaying a record did not give the same bits. */
export async function elastic(flags: ElasticFlags, environment: Environment): Promise<number> {
  const stopping = new AbortController();
  const stop = (): void => stopping.abort();
  const unlisten = onInterrupts({ interrupt: stop, abort: () => process.exit(EXIT_INTERRUPTED), terminate: stop });
  const unreport = reportOnly(stop);
  const log = openLog(environment, "error");
  try {
    const { arms, figure } = await experiment("elastic", {
      ...flags,
      signal: stopping.signal,
      settings: environment.variables,
      onProgress: show,
      logLevel: environment.logLevel ?? "error",
      onLog: (record) => relayRecord(log, record),
    });
    print("");
    for (const line of table(rowsOf(arms))) print(line);
    print(`figure in ${figure}`);
    const wanted = ({ arm, coincides, sameBits }: ElasticArm): boolean =>
      sameBits && (coincides || !arm.startsWith("invariant"));
    return arms.every(wanted) ? 0 : 1;
  } finally {
    unlisten();
    unreport();
  }
}

function show(progress: ExperimentProgress): void {
  if (progress.type === "note") print(`  ${progress.message}`);
  if (progress.type !== "arm") return;
  const { arm, workers, samples } = progress;
  print(`${arm}: workers ${workers.join(" → ")}, κ follows, ${count(samples)} samples`);
}

function rowsOf(arms: readonly ElasticArm[]): string[][] {
  const percent = (share: number): string => `${(100 * share).toFixed(2)} %`;
  const head = ["arm", "gap", "signed", "floor", `gap ≤ ${FLOORS_MAX} floors`, "replay gives the same bits"];
  const rows = arms.map(({ arm, gap, floor, signed, coincides, sameBits }) => [
    arm,
    percent(gap),
    percent(signed),
    percent(floor),
    coincides ? "yes" : "no",
    sameBits ? "yes" : "no",
  ]);
  return [head, ...rows];
}

function print(text: string): void {
  process.stdout.write(`${text}\n`);
}
