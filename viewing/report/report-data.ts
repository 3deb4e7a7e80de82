import type { History } from "../charts/index.js";
import {
  CHARTS,
  type ChartDefinition,
  type ChartSizes,
  type Curve,
  startsLogarithmic,
  type Unit,
} from "../charts/index.js";

/** What a report's page draws; it travels as JSON inside the page. */
export interface ReportData {
  readonly charts: readonly ChartData[];
}

export interface ChartData {
  /** The id of the element that it is drawn into. */
  readonly id: string;
  readonly title: string;
  readonly unit: Unit;
  /** Whether the y axis starts out logarithmic; only for positive values. */
  readonly logarithmic: boolean;
  readonly curves: readonly Curve[];
}

/** A chart with its curves. */
export interface FilledChart {
  readonly definition: ChartDefinition;
  readonly data: ChartData;
}

/** The charts of a run; those without anything to show are left out. */
export function chartsOf(history: History, sizes: ChartSizes): FilledChart[] {
  return CHARTS.flatMap((definition) => {
    const curves = definition.curves(history, sizes).filter(({ y }) => y.some((value) => value !== null));
    const isShown = definition.id === "noise" ? curves.some(({ label }) => label === "noise scale") : curves.length > 0;
    return isShown ? [{ definition, data: dataOf(definition, curves) }] : [];
  });
}

export function dataOf(definition: ChartDefinition, curves: readonly Curve[]): ChartData {
  const { id, title, unit } = definition;
  return { id, title, unit, curves, logarithmic: startsLogarithmic(definition, curves) };
}
