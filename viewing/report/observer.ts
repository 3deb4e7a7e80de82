import type { RunObserver } from "../../server/index.js";
import { writeReport } from "./report.js";

/** Writes a run's report when the run has ended, well or not. */
export function createReportWriter(): RunObserver {
  return {
    name: "The report",
    start: ({ folder }) => ({ ended: () => void writeReport(folder) }),
  };
}
