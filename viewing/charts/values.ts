import { count, measure, percent } from "../../shared/format.js";
import type { Curve, Unit } from "./charts.js";

/** A value of a chart, with its unit. */
export function valueText(value: number | null | undefined, unit: Unit): string {
  if (value === null || value === undefined || !Number.isFinite(value)) return "–";
  if (unit === "%") return percent(value / 100);
  const text = Number.isInteger(value) && value < 1e6 ? count(value) : measure(value);
  return unit === "" ? text : `${text} ${unit}`;
}

/** What a chart shows, for people who can't see it: each curve's newest value. */
export function spoken(title: string, curves: readonly Curve[], unit: Unit): string {
  const known = curves.filter(({ look, y }) => look !== "low" && look !== "high" && y.length > 0);
  if (known.length === 0) return `${title}: no data yet`;
  const newest = ({ y }: Curve): string =>
    valueText(
      y.findLast((value) => value !== null),
      unit,
    );
  return `${title}, newest values: ${known.map((curve) => `${curve.label} ${newest(curve)}`).join(", ")}`;
}
