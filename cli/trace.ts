import { resolve } from "node:path";
import { during, span, startTrace } from "../shared/trace/index.js";
import type { Environment } from "./environment.js";
import { openLog } from "./log.js";

export interface TraceRequest {
  /** The argument of `--trace`; undefined: no trace. */
  readonly path: string | undefined;
  /** The name of this process in the trace. */
  readonly process: string;
}

/** Starts the trace, then loads a command's code, so that the trace includes the time this takes. */
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
