/** What people and Prometheus see of a run over HTTP: the dashboard, /metrics, /healthz and /readyz. */
export type { Identity, Verify } from "./access/index.js";
export { type Dashboard, type DashboardOptions, startDashboard } from "./listener.js";
export { createDashboard, type DashboardObserver, type HttpOptions } from "./observer.js";
export type { DashboardSource } from "./source.js";
