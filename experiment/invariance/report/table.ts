/** All measurements as CSV, one row per arm, κ and learning rate, for spreadsheets and other programs. */
import type { Cell, InvarianceSummary, Over } from "../summarize.js";

const COLUMNS =
  "arm,kappa,learningRate,seeds,diverged,gap,gapLeast,gapMost,signedGap,absoluteGap,endGap,endLoss,speed,predictedSpeed,noiseScale,signalToNoise";

/** The floors are rows of κ = 1. Numbers have five digits; unknown values are empty. */
export function tableOf({ cells, floors }: InvarianceSummary): string {
  const rows = [
    COLUMNS,
    ...cells.map((cell) => row([...nameOf(cell), ...gapOf(cell.gap), ...restOf(cell)])),
    ...floors.flatMap(({ learningRate, repeat, order }) => [
      row(["again", 1, learningRate, null, 0, repeat]),
      row(["another data order", 1, learningRate, null, 0, ...gapOf(order)]),
    ]),
  ];
  return `${rows.join("\n")}\n`;
}

const nameOf = ({ arm, kappa, learningRate, seeds, diverged }: Cell) => [arm, kappa, learningRate, seeds, diverged];
const gapOf = (gap: Over | null) => [gap?.mean ?? null, gap?.least ?? null, gap?.most ?? null];
const restOf = (cell: Cell) => [
  ...[cell.signedGap, cell.absoluteGap, cell.endGap, cell.endLoss],
  ...[cell.measuredSpeed, cell.predictedSpeed, cell.noiseScale, cell.signalToNoise],
];

function row(values: readonly (string | number | null)[]): string {
  const columns = COLUMNS.split(",").length;
  const filled = [...values, ...Array<null>(columns - values.length).fill(null)];
  return filled.map((value) => (typeof value === "number" ? Number(value.toPrecision(5)) : (value ?? ""))).join(",");
}
