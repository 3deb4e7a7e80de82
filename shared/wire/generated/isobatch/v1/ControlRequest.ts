// Original file: proto/isobatch/v1/isobatch.proto

import type { StopRun as _isobatch_v1_StopRun, StopRun__Output as _isobatch_v1_StopRun__Output } from '../../isobatch/v1/StopRun.js';
import type { CheckpointNow as _isobatch_v1_CheckpointNow, CheckpointNow__Output as _isobatch_v1_CheckpointNow__Output } from '../../isobatch/v1/CheckpointNow.js';
import type { DrainWorker as _isobatch_v1_DrainWorker, DrainWorker__Output as _isobatch_v1_DrainWorker__Output } from '../../isobatch/v1/DrainWorker.js';
import type { CreateToken as _isobatch_v1_CreateToken, CreateToken__Output as _isobatch_v1_CreateToken__Output } from '../../isobatch/v1/CreateToken.js';
import type { ListTokens as _isobatch_v1_ListTokens, ListTokens__Output as _isobatch_v1_ListTokens__Output } from '../../isobatch/v1/ListTokens.js';
import type { RevokeToken as _isobatch_v1_RevokeToken, RevokeToken__Output as _isobatch_v1_RevokeToken__Output } from '../../isobatch/v1/RevokeToken.js';

export interface ControlRequest {
  'stop'?: (_isobatch_v1_StopRun | null);
  'checkpoint'?: (_isobatch_v1_CheckpointNow | null);
  'drain'?: (_isobatch_v1_DrainWorker | null);
  'createToken'?: (_isobatch_v1_CreateToken | null);
  'listTokens'?: (_isobatch_v1_ListTokens | null);
  'revokeToken'?: (_isobatch_v1_RevokeToken | null);
  'request'?: "stop"|"checkpoint"|"drain"|"createToken"|"listTokens"|"revokeToken";
}

export interface ControlRequest__Output {
  'stop'?: (_isobatch_v1_StopRun__Output | null);
  'checkpoint'?: (_isobatch_v1_CheckpointNow__Output | null);
  'drain'?: (_isobatch_v1_DrainWorker__Output | null);
  'createToken'?: (_isobatch_v1_CreateToken__Output | null);
  'listTokens'?: (_isobatch_v1_ListTokens__Output | null);
  'revokeToken'?: (_isobatch_v1_RevokeToken__Output | null);
  'request'?: "stop"|"checkpoint"|"drain"|"createToken"|"listTokens"|"revokeToken";
}
