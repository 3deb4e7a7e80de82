export { type Arm, allArms, findArm } from "./arms.js";
export { createPerformer, type Performer, type RunResult } from "./perform.js";
export { PRESET_NAMES, PRESETS, type Preset } from "./presets.js";
export { createProtocol, type Protocol, type ProtocolInput } from "./protocol.js";
export { renderInvariance } from "./report/page.js";
export { tableOf } from "./report/table.js";
export { listRuns, type RunRole, type RunSpec } from "./runs.js";
export { type Cell, type Floors, type InvarianceSummary, meanCurves, summarize } from "./summarize.js";
