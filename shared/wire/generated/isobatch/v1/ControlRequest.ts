// Original file: proto/isobatch/v1/isobatch.proto

import type { StopRun as _isobatch_v1_StopRun, StopRun__Output as _isobatch_v1_StopRun__Output } from '../../isobatch/v1/StopRun.js';
import type { CheckpointNow as _isobatch_v1_CheckpointNow, CheckpointNow__Output as _isobatch_v1_CheckpointNow__Output } from '../../isobatch/v1/CheckpointNow.js';
import type { DrainWorker as _isobatch_v1_DrainWorker, DrainWorker__Output as _isobatch_v1_DrainWorker__Output } from '../../isobatch/v1/DrainWorker.js';

export interface ControlRequest {
  'stop'?: (_isobatch_v1_StopRun | null);
  'checkpoint'?: (_isobatch_v1_CheckpointNow | null);
  'drain'?: (_isobatch_v1_DrainWorker | null);
  'request'?: "stop"|"checkpoint"|"drain";
}

export interface ControlRequest__Output {
  'stop'?: (_isobatch_v1_StopRun__Output | null);
  'checkpoint'?: (_isobatch_v1_CheckpointNow__Output | null);
  'drain'?: (_isobatch_v1_DrainWorker__Output | null);
  'request'?: "stop"|"checkpoint"|"drain";
}
