// Original file: proto/isobatch/v1/isobatch.proto

import type { MicroBatchLease as _isobatch_v1_MicroBatchLease, MicroBatchLease__Output as _isobatch_v1_MicroBatchLease__Output } from '../../isobatch/v1/MicroBatchLease.js';
import type { EvaluationLease as _isobatch_v1_EvaluationLease, EvaluationLease__Output as _isobatch_v1_EvaluationLease__Output } from '../../isobatch/v1/EvaluationLease.js';
import type { TermOpened as _isobatch_v1_TermOpened, TermOpened__Output as _isobatch_v1_TermOpened__Output } from '../../isobatch/v1/TermOpened.js';
import type { Drain as _isobatch_v1_Drain, Drain__Output as _isobatch_v1_Drain__Output } from '../../isobatch/v1/Drain.js';
import type { RunEnded as _isobatch_v1_RunEnded, RunEnded__Output as _isobatch_v1_RunEnded__Output } from '../../isobatch/v1/RunEnded.js';

export interface WorkerCommand {
  'lease'?: (_isobatch_v1_MicroBatchLease | null);
  'evaluation'?: (_isobatch_v1_EvaluationLease | null);
  'term'?: (_isobatch_v1_TermOpened | null);
  'drain'?: (_isobatch_v1_Drain | null);
  'ended'?: (_isobatch_v1_RunEnded | null);
  'command'?: "lease"|"evaluation"|"term"|"drain"|"ended";
}

export interface WorkerCommand__Output {
  'lease'?: (_isobatch_v1_MicroBatchLease__Output | null);
  'evaluation'?: (_isobatch_v1_EvaluationLease__Output | null);
  'term'?: (_isobatch_v1_TermOpened__Output | null);
  'drain'?: (_isobatch_v1_Drain__Output | null);
  'ended'?: (_isobatch_v1_RunEnded__Output | null);
  'command'?: "lease"|"evaluation"|"term"|"drain"|"ended";
}
