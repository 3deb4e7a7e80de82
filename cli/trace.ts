import { resolve } from "node:path";
import { during, span, startTrace } from "../shared/trace/index.js";
import type { Environment } from "./environment.js";
import { openLog } from "./log.js";

export interface TraceRequest {
  /** As given by `--trace`; undefined: there is to be no trace. */
  readonly path: string | undefined;
  /** What this process is called in the trace. */
  readonly process: string;
}

/** Starts the trace, and then loads a command's code, which is in the trace because it takes a while. */
export async function traced<Code>(
  { path, process }: TraceRequest,
  environment: Environment,
  load: () => Promise<Code>,
): Promise<Code> {
  if (path === undefined) return load();
  const warn = (line: string): void => openLog(environment, "warn").warn(line);
  startTrace({ path: resolve(path), process, begin: true, warn });
  span("start", 0);
  return during("modules", load);
}
