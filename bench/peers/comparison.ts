/**
 * Isobatch against PyTorch on the same machine, by turns: in every round each runs once for each cell of the table, in an order that
 * turns with the rounds, and a ratio is taken only between two runs of one round.
 */

import type { MeasuredModelName } from "../models.js";
import { mean, median } from "../statistics.js";

/** Those that can be trained on MNIST. */
export const MODEL_NAMES = ["mlp", "mlp-10m", "cnn"] as const satisfies readonly MeasuredModelName[];
export type ModelName = (typeof MODEL_NAMES)[number];

/** Processes (with us: workers) and the threads that compute in each. */
export interface Layout {
  readonly processes: number;
  readonly threads: number;
}

export interface Length {
  readonly steps: number;
  /** Steps before the first one that counts. */
  readonly warmUp: number;
}

export interface TrainedOnce {
  /** Median of the steps that count, by the trainer's own clock. */
  readonly stepMs: number;
  /** From the end of the warm-up to the last step, divided by the steps: all that is between steps counts too. */
  readonly wallMs: number;
  /** Of every step, the warm-up's too. */
  readonly losses: readonly number[];
}

/** What is compared on the same number of micro-batches a step. */
export interface Group {
  /** Micro-batches a step. */
  readonly kappa: number;
  /** Of both sides; ratios are to PyTorch with the first one, its others are shown beside it. */
  readonly layouts: readonly Layout[];
}

/** Two cores' worth, and one process per core where there are more. */
export function groupsFor(cores: number): Group[] {
  const two = [
    { processes: 2, threads: 1 },
    { processes: 1, threads: 2 },
  ];
  const all = [{ processes: cores, threads: 1 }];
  return [{ kappa: 2, layouts: two }, ...(cores > 2 ? [{ kappa: cores, layouts: all }] : [])];
}

/** The runs of a round in its order: each round begins one further, so that none is always the first or always after the same. */
export function turned<Item>(items: readonly Item[], round: number): Item[] {
  const by = round % items.length;
  return [...items.slice(by), ...items.slice(0, by)];
}

export interface Ratio {
  /** Median over the rounds. */
  readonly ratio: number;
  readonly lowest: number;
  readonly highest: number;
}

/** @param ours and `theirs` have a time of each round. */
export function ratioOf(ours: readonly number[], theirs: readonly number[]): Ratio {
  const ratios = ours.map((ms, round) => ms / theirs[round]);
  return { ratio: median(ratios), lowest: median([Math.min(...ratios)]), highest: median([Math.max(...ratios)]) };
}

/** Of the first loss, what is left at the end; a run that learns nothing is no training to be compared. */
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
