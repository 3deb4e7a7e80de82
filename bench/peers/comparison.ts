/**
 * Isobatch compared with PyTorch on the same machine: in every round each runs once for each cell of the table, in an order that
 * rotates from round to round, and a ratio is taken only between two runs of the same round.
 */

import type { MeasuredModelName } from "../models.js";
import { mean, median } from "../statistics.js";

/** The models that can be trained on MNIST. */
export const MODEL_NAMES = ["mlp", "mlp-10m", "cnn"] as const satisfies readonly MeasuredModelName[];
export type ModelName = (typeof MODEL_NAMES)[number];

/** Processes (for Isobatch: workers), and the number of compute threads in each. */
export interface ProcessLayout {
  readonly processes: number;
  readonly threads: number;
}

export interface Length {
  readonly steps: number;
  /** Steps before the first one that counts. */
  readonly warmUp: number;
}

export interface TrainedOnce {
  /** Median time of the steps that count, as the trainer itself measures it. */
  readonly stepMs: number;
  /** The time from the end of the warm-up to the last step, divided by the steps: the time between steps counts too. */
  readonly wallMs: number;
  /** The loss of every step, including the warm-up. */
  readonly losses: readonly number[];
}

/** Runs that are compared, all with the same number of micro-batches per step. */
export interface Group {
  /** Micro-batches per step. */
  readonly kappa: number;
  /** The layouts of both sides. Ratios are to PyTorch with the first one; times of the others are shown in addition. */
  readonly layouts: readonly ProcessLayout[];
}

/** Layouts for two cores, and one process per core where there are more. */
export function groupsFor(cores: number): Group[] {
  const two = [
    { processes: 2, threads: 1 },
    { processes: 1, threads: 2 },
  ];
  const all = [{ processes: cores, threads: 1 }];
  return [{ kappa: 2, layouts: two }, ...(cores > 2 ? [{ kappa: cores, layouts: all }] : [])];
}

/** A round's runs in order. Each round starts one further, so that no run is always first or always follows the same one. */
export function turned<Item>(items: readonly Item[], round: number): Item[] {
  const by = round % items.length;
  return [...items.slice(by), ...items.slice(0, by)];
}

export interface Ratio {
  /** The median over the rounds. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
}

/** @param ours and `theirs` have one time per round. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((ms, round) => ms / theirs[round]);
  return { ratio: median(ratios), lowest: median([Math.min(...ratios)]), highest: median([Math.max(...ratios)]) };
}

/** The share of the first loss that may be left at the end; a run that learns nothing is not worth comparing. */
const LOSS_LEFT_MAX = 0.7;
const LAST = 10;

/** @throws {Error} if the loss did not fall. */
export function checkTrained(who: string, losses: readonly number[]): void {
  const last = losses.slice(-LAST);
  const left = mean(last);
  if (left <= LOSS_LEFT_MAX * losses[0]) return;
  throw new Error(
    `${who} did not train: its loss was ${losses[0].toFixed(3)} in the first step and ${left.toFixed(3)} in the last ${last.length}; ` +
      `it must fall to ${LOSS_LEFT_MAX} of the first.`,
  );
}
