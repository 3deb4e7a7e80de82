/** The experiment's figures. */

import type { RunResult } from "../perform.js";
import type { Protocol } from "../protocol.js";
import { type InvarianceSummary, meanCurves } from "../summarize.js";
import { type Axis, domainOf, type Figure, numberText, type Panel, type Series, type SeriesLook } from "./drawing.js";

export interface Shown {
  readonly protocol: Protocol;
  readonly results: readonly RunResult[];
  readonly summary: InvarianceSummary;
}

const FLOOR: SeriesLook = { color: "text", line: "dashed", dots: false };
const FLOOR_KEY = { label: "κ = 1 with another data order", look: FLOOR };
const linesAndDots = (color: number): SeriesLook => ({ color, line: "solid", dots: true });

/** Over a single learning rate or κ a figure would be a dot on an empty plane: the tables have its numbers. */
export function figuresOf(shown: Shown): Figure[] {
  const rates = [...shown.protocol.learningRates].sort((a, b) => a - b);
  const hasKappas = shown.protocol.kappas.length > 1;
  return [
    ...(rates.length > 1 ? [gapOverLearningRate(shown, rates)] : []),
    ...(hasKappas ? [gapOverKappa(shown, rates)] : []),
    ...rates.map((rate) => curves(shown, rate)),
    ...(hasKappas ? [speeds(shown, rates), noise(shown, rates)] : []),
  ];
}

/** The paper's first figure. */
function gapOverLearningRate({ protocol, summary }: Shown, rates: readonly number[]): Figure {
  const y = gapAxis(summary);
  const x: Axis = { label: "η, at κ = 1", logarithmic: true, domain: domainOf(rates, true), marks: rates };
  const floor = { look: FLOOR, points: floorPoints(summary) };
  return {
    name: "gap-over-learning-rate",
    title: "Gap over the learning rate",
    note: "How far the loss with κ micro-batches per step departs from that with one, at worst, relative to it.",
    key: [...armKey(protocol), FLOOR_KEY],
    panels: protocol.kappas.map((kappa) => ({
      title: `κ = ${kappa}`,
      x,
      y,
      series: [
        floor,
        ...armSeries(protocol, (arm) =>
          summary.cells
            .filter((cell) => cell.arm === arm && cell.kappa === kappa && cell.gap !== null)
            .map((cell) => [cell.learningRate, cell.gap!.mean] as const),
        ),
      ],
    })),
  };
}

function gapOverKappa({ protocol, summary }: Shown, rates: readonly number[]): Figure {
  const y = gapAxis(summary);
  const x = kappaAxis(protocol);
  return {
    name: "gap-over-kappa",
    title: "Gap over κ",
    note: "The same gaps over the number of micro-batches per step.",
    key: [...armKey(protocol), FLOOR_KEY],
    panels: rates.map((rate) => {
      const order = summary.floors.find(({ learningRate }) => learningRate === rate)?.order;
      const level = order ? x.domain.map((kappa) => [kappa, order.mean] as const) : [];
      return {
        title: `η = ${numberText(rate)}`,
        x,
        y,
        series: [
          { look: FLOOR, points: level },
          ...armSeries(protocol, (arm) =>
            summary.cells
              .filter((cell) => cell.arm === arm && cell.learningRate === rate && cell.gap !== null)
              .map((cell) => [cell.kappa, cell.gap!.mean] as const),
          ),
        ],
      };
    }),
  };
}

/** One panel per arm, one line per κ. */
function curves({ protocol, results }: Shown, rate: number): Figure {
  const drawn = meanCurves(results.filter(({ learningRate }) => learningRate === rate));
  const losses = drawn.flatMap((curve) => curve.losses);
  const samples = drawn.flatMap((curve) => curve.samples);
  const x: Axis = { label: "samples seen", logarithmic: false, domain: [0, Math.max(1, ...samples)] };
  const y: Axis = { label: "evaluation loss", logarithmic: true, domain: domainOf(losses, true) };
  const referenceLook: SeriesLook = { color: "text", line: "wide", dots: false };
  const kappaLook = (index: number): SeriesLook => ({ color: index, line: "solid", dots: false });
  const panelOf = (arm: string): Panel => {
    const reference = referenceOf(results, arm, rate);
    const series = [1, ...protocol.kappas].flatMap((kappa, i): Series[] => {
      const curve = drawn.find((one) => one.kappa === kappa && one.arm === (kappa === 1 ? reference : arm));
      if (curve === undefined) return [];
      const points = curve.samples.map((at, n) => [at, curve.losses[n]] as const);
      return [{ look: kappa === 1 ? referenceLook : kappaLook(i - 1), points }];
    });
    return { title: arm, x, y, series };
  };
  return {
    name: `curves-${rate.toExponential()}`,
    title: `Loss over samples seen, η = ${numberText(rate)}`,
    note: "Means over the seeds; where the lines lie on each other, larger batches train at the same pace per sample.",
    key: [
      { label: "κ = 1", look: referenceLook },
      ...protocol.kappas.map((kappa, i) => ({ label: `κ = ${kappa}`, look: kappaLook(i) })),
    ],
    panels: protocol.arms.map(({ name }) => panelOf(name)),
  };
}

/** The arm under whose name the κ = 1 run of `arm` was trained. */
function referenceOf(results: readonly RunResult[], arm: string, rate: number): string | undefined {
  const own = results.find((run) => run.role === "arm" && run.arm === arm && run.learningRate === rate);
  return results.find(({ key }) => key === own?.reference)?.arm;
}

function speeds({ protocol, summary }: Shown, rates: readonly number[]): Figure {
  const x = kappaAxis(protocol);
  const all = summary.cells.flatMap((cell) => [cell.measuredSpeed, cell.predictedSpeed]).filter((v) => v !== null);
  const y: Axis = { label: "speed per sample", logarithmic: true, domain: domainOf([1, ...all], true) };
  return {
    name: "speed",
    title: "Speed per sample, measured (dots) and predicted (dashed)",
    note: "Relative to κ = 1. Predicted from the rule and the measured noise, for weights that hardly move in a step.",
    key: armKey(protocol),
    panels: rates.map((rate) => ({
      title: `η = ${numberText(rate)}`,
      x,
      y,
      series: protocol.arms.flatMap(({ name }, color): Series[] => {
        const cells = summary.cells.filter((cell) => cell.arm === name && cell.learningRate === rate);
        const points = (field: "measuredSpeed" | "predictedSpeed") =>
          cells
            .filter((cell) => cell[field] !== null)
            .map((cell) => [cell.kappa, cell[field]!] as const)
            .sort(([a], [b]) => a - b);
        return [
          { look: { color, line: "dashed", dots: false }, points: points("predictedSpeed") },
          { look: { color, line: "none", dots: true }, points: points("measuredSpeed") },
        ];
      }),
    })),
  };
}

function noise({ protocol, summary }: Shown, rates: readonly number[]): Figure {
  const values = summary.cells.map((cell) => cell.noiseScale).filter((value) => value !== null);
  const y: Axis = { label: "samples", logarithmic: true, domain: domainOf(values, true) };
  return {
    name: "noise-scale",
    title: "Gradient noise scale, trace(Σ) / |G|²",
    note: "Averaged over the whole run. Batches well below it are mostly noise: there the square-root rule ties.",
    key: armKey(protocol),
    panels: rates.map((rate) => ({
      title: `η = ${numberText(rate)}`,
      x: kappaAxis(protocol),
      y,
      series: armSeries(protocol, (arm) =>
        summary.cells
          .filter((cell) => cell.arm === arm && cell.learningRate === rate && cell.noiseScale !== null)
          .map((cell) => [cell.kappa, cell.noiseScale!] as const),
      ),
    })),
  };
}

function armKey({ arms }: Protocol): Figure["key"] {
  return arms.map(({ name }, color) => ({ label: name, look: linesAndDots(color) }));
}

function armSeries({ arms }: Protocol, points: (arm: string) => Series["points"]): Series[] {
  return arms.map(({ name }, color) => ({
    look: linesAndDots(color),
    points: [...points(name)].sort(([a], [b]) => a - b),
  }));
}

function floorPoints({ floors }: InvarianceSummary): Series["points"] {
  return floors
    .filter(({ order }) => order !== null)
    .map(({ learningRate, order }) => [learningRate, order!.mean] as const)
    .sort(([a], [b]) => a - b);
}

function gapAxis({ cells, floors }: InvarianceSummary): Axis {
  const values = [...cells.map(({ gap }) => gap), ...floors.map(({ order }) => order)].map((one) => one?.mean ?? 0);
  return { label: "gap", logarithmic: true, domain: domainOf(values, true) };
}

function kappaAxis({ kappas }: Protocol): Axis {
  return { label: "κ, micro-batches per step", logarithmic: true, domain: domainOf(kappas, true), marks: kappas };
}
