import type { RunSource } from "../../server/index.js";

/** Everything that the dashboard and the metrics know of a run. */
export type DashboardSource = Pick<
  RunSource,
  "runId" | "version" | "task" | "facts" | "layout" | "command" | "metrics" | "status" | "figures" | "control"
>;
