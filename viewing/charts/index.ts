export {
  CHARTS,
  type ChartDefinition,
  type ChartSizes,
  COLOURS,
  type Curve,
  recentLoss,
  startsLogarithmic,
  type Unit,
} from "./charts.js";
export {
  addEvaluation,
  addStep,
  createHistory,
  cutBack,
  type EvaluationRow,
  type History,
  type MutableHistory,
  type StepRow,
} from "./history.js";
export { evaluationRow, historyOf, stepRow } from "./rows.js";
export type { Points } from "./smooth.js";
export { spoken, valueText } from "./values.js";
