// Original file: proto/isobatch/v1/isobatch.proto

import type { ShardWelcome as _isobatch_v1_ShardWelcome, ShardWelcome__Output as _isobatch_v1_ShardWelcome__Output } from '../../isobatch/v1/ShardWelcome.js';
import type { Restore as _isobatch_v1_Restore, Restore__Output as _isobatch_v1_Restore__Output } from '../../isobatch/v1/Restore.js';
import type { StepPlan as _isobatch_v1_StepPlan, StepPlan__Output as _isobatch_v1_StepPlan__Output } from '../../isobatch/v1/StepPlan.js';
import type { WriteCheckpoint as _isobatch_v1_WriteCheckpoint, WriteCheckpoint__Output as _isobatch_v1_WriteCheckpoint__Output } from '../../isobatch/v1/WriteCheckpoint.js';
import type { KeepCheckpoints as _isobatch_v1_KeepCheckpoints, KeepCheckpoints__Output as _isobatch_v1_KeepCheckpoints__Output } from '../../isobatch/v1/KeepCheckpoints.js';
import type { ShardStop as _isobatch_v1_ShardStop, ShardStop__Output as _isobatch_v1_ShardStop__Output } from '../../isobatch/v1/ShardStop.js';
import type { Passes as _isobatch_v1_Passes, Passes__Output as _isobatch_v1_Passes__Output } from '../../isobatch/v1/Passes.js';

export interface ShardCommand {
  'welcome'?: (_isobatch_v1_ShardWelcome | null);
  'restore'?: (_isobatch_v1_Restore | null);
  'plan'?: (_isobatch_v1_StepPlan | null);
  'checkpoint'?: (_isobatch_v1_WriteCheckpoint | null);
  'keep'?: (_isobatch_v1_KeepCheckpoints | null);
  'stop'?: (_isobatch_v1_ShardStop | null);
  'passes'?: (_isobatch_v1_Passes | null);
  'command'?: "welcome"|"restore"|"plan"|"checkpoint"|"keep"|"stop"|"passes";
}

export interface ShardCommand__Output {
  'welcome'?: (_isobatch_v1_ShardWelcome__Output | null);
  'restore'?: (_isobatch_v1_Restore__Output | null);
  'plan'?: (_isobatch_v1_StepPlan__Output | null);
  'checkpoint'?: (_isobatch_v1_WriteCheckpoint__Output | null);
  'keep'?: (_isobatch_v1_KeepCheckpoints__Output | null);
  'stop'?: (_isobatch_v1_ShardStop__Output | null);
  'passes'?: (_isobatch_v1_Passes__Output | null);
  'command'?: "welcome"|"restore"|"plan"|"checkpoint"|"keep"|"stop"|"passes";
}
