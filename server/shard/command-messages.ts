import type { ShardCommand } from "../../shared/wire/index.js";
import type { ShardEvent } from "./core/index.js";

/** The coordinator's command as the core's event; undefined for those that the shell handles itself. */
export function commandEvent({ restore, plan, checkpoint }: ShardCommand): ShardEvent | undefined {
  if (restore !== undefined) return { kind: "restore", ...restore };
  if (plan !== undefined) return { kind: "plan", plan };
  if (checkpoint !== undefined) return { kind: "checkpoint", ...checkpoint };
  return undefined;
}
