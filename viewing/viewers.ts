import type { RunObserver } from "../server/index.js";
import { createDashboard, type DashboardObserver, type HttpOptions } from "./dashboard/index.js";
import { createReportWriter } from "./report/index.js";
import { createTensorBoard } from "./tensorboard/index.js";

/** Everything that usually shows a run. */
export interface Viewers {
  /** For ServerOptions. */
  readonly observers: readonly RunObserver[];
  readonly dashboard: DashboardObserver | undefined;
}

/** Report, TensorBoard and, at `http`, the dashboard with /metrics. */
export function createViewers(http?: HttpOptions): Viewers {
  const dashboard = http && createDashboard(http);
  const always = [createTensorBoard(), createReportWriter()];
  return { observers: dashboard === undefined ? always : [...always, dashboard], dashboard };
}
