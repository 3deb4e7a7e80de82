/** What the report's page draws; it travels as JSON inside the page. */
export interface ReportData {
  readonly charts: readonly ChartData[];
}

export interface ChartData {
  /** Of the element that it is drawn into. */
  readonly id: string;
  readonly unit: "" | "%" | "ms";
  /** Whether the y axis starts out logarithmic; only for positive values. */
  readonly logarithmic: boolean;
  readonly curves: readonly CurveData[];
}

export interface CurveData {
  readonly label: string;
  /** Number of a colour of the style sheet, from 1. */
  readonly colour: number;
  /** How it is drawn: a line; a pale thin one behind others; steps; a line with its points. */
  readonly look: "line" | "pale" | "steps" | "dots";
  /** Samples seen and values; as many of one as of the other. */
  readonly x: readonly number[];
  readonly y: readonly number[];
}
