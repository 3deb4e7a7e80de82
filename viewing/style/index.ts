import { BASE } from "./base.js";
import { PARTS } from "./parts.js";
import { REPORT } from "./report.js";
import { RUN } from "./run.js";

/** The style sheet of the dashboard's pages: light and dark by the reader's own setting, from a phone's width up. */
export const DASHBOARD_STYLE = BASE + PARTS + RUN;

/** The same of a report. */
export const REPORT_STYLE = BASE + PARTS + REPORT;
