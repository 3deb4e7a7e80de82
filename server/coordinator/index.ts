export { control } from "./control.js";
export { type Coordinator, createCoordinator } from "./coordinator.js";
export type { RunOutcome } from "./core/index.js";
export { outcomeError } from "./outcome-error.js";
export type { Progress } from "./progress.js";
export { createCoordinatorHandlers } from "./service/index.js";
export { localLink, reportEvent } from "./shard-links.js";
export { statusOf } from "./status.js";
export type { Tally } from "./tally.js";
