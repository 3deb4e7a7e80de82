import type { Logger } from "../../shared/log.js";
import { span, startTrace } from "../../shared/trace/index.js";

/** Records what this process does in a trace that its parent has started and completes. */
export function joinTraceOf(path: string | undefined, process: string, log: Logger): void {
  if (path === undefined) return;
  startTrace({ path, process, begin: false, warn: (line) => log.warn(line) });
  span("start", 0);
}
