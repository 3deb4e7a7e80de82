/** What is shown of a run: observers of a server, and reports on run directories. */
export { createDashboard, type DashboardObserver, type HttpOptions } from "./dashboard/index.js";
export {
  createReportWriter,
  curvesSvg,
  type RunFiles,
  readRunFiles,
  renderReport,
  renderRunsReport,
  writeReport,
} from "./report/index.js";
export { createTensorBoard } from "./tensorboard/index.js";
export { createViewers, type Viewers } from "./viewers.js";
