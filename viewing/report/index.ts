export { curvesSvg } from "./curves-svg.js";
export { createReportWriter } from "./observer.js";
export { renderReport, writeReport } from "./report.js";
export { type RunFiles, readRunFiles } from "./run-files.js";
export { renderRunsReport } from "./runs-report.js";
