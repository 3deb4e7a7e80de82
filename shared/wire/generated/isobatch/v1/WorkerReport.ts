// Original file: proto/isobatch/v1/isobatch.proto

import type { Heartbeat as _isobatch_v1_Heartbeat, Heartbeat__Output as _isobatch_v1_Heartbeat__Output } from '../../isobatch/v1/Heartbeat.js';
import type { WeightsHeld as _isobatch_v1_WeightsHeld, WeightsHeld__Output as _isobatch_v1_WeightsHeld__Output } from '../../isobatch/v1/WeightsHeld.js';
import type { LeaseComputed as _isobatch_v1_LeaseComputed, LeaseComputed__Output as _isobatch_v1_LeaseComputed__Output } from '../../isobatch/v1/LeaseComputed.js';
import type { LeaseFailed as _isobatch_v1_LeaseFailed, LeaseFailed__Output as _isobatch_v1_LeaseFailed__Output } from '../../isobatch/v1/LeaseFailed.js';
import type { Evaluated as _isobatch_v1_Evaluated, Evaluated__Output as _isobatch_v1_Evaluated__Output } from '../../isobatch/v1/Evaluated.js';
import type { Leaving as _isobatch_v1_Leaving, Leaving__Output as _isobatch_v1_Leaving__Output } from '../../isobatch/v1/Leaving.js';
import type { Attach as _isobatch_v1_Attach, Attach__Output as _isobatch_v1_Attach__Output } from '../../isobatch/v1/Attach.js';
import type { WeightsLost as _isobatch_v1_WeightsLost, WeightsLost__Output as _isobatch_v1_WeightsLost__Output } from '../../isobatch/v1/WeightsLost.js';
import type { WorkerFailed as _isobatch_v1_WorkerFailed, WorkerFailed__Output as _isobatch_v1_WorkerFailed__Output } from '../../isobatch/v1/WorkerFailed.js';
import type { Transport as _isobatch_v1_Transport, Transport__Output as _isobatch_v1_Transport__Output } from '../../isobatch/v1/Transport.js';

export interface WorkerReport {
  'heartbeat'?: (_isobatch_v1_Heartbeat | null);
  'weightsHeld'?: (_isobatch_v1_WeightsHeld | null);
  'leaseComputed'?: (_isobatch_v1_LeaseComputed | null);
  'leaseFailed'?: (_isobatch_v1_LeaseFailed | null);
  'evaluated'?: (_isobatch_v1_Evaluated | null);
  'leaving'?: (_isobatch_v1_Leaving | null);
  'attach'?: (_isobatch_v1_Attach | null);
  'weightsLost'?: (_isobatch_v1_WeightsLost | null);
  'failed'?: (_isobatch_v1_WorkerFailed | null);
  'transport'?: (_isobatch_v1_Transport | null);
  'report'?: "heartbeat"|"weightsHeld"|"leaseComputed"|"leaseFailed"|"evaluated"|"leaving"|"attach"|"weightsLost"|"failed"|"transport";
}

export interface WorkerReport__Output {
  'heartbeat'?: (_isobatch_v1_Heartbeat__Output | null);
  'weightsHeld'?: (_isobatch_v1_WeightsHeld__Output | null);
  'leaseComputed'?: (_isobatch_v1_LeaseComputed__Output | null);
  'leaseFailed'?: (_isobatch_v1_LeaseFailed__Output | null);
  'evaluated'?: (_isobatch_v1_Evaluated__Output | null);
  'leaving'?: (_isobatch_v1_Leaving__Output | null);
  'attach'?: (_isobatch_v1_Attach__Output | null);
  'weightsLost'?: (_isobatch_v1_WeightsLost__Output | null);
  'failed'?: (_isobatch_v1_WorkerFailed__Output | null);
  'transport'?: (_isobatch_v1_Transport__Output | null);
  'report'?: "heartbeat"|"weightsHeld"|"leaseComputed"|"leaseFailed"|"evaluated"|"leaving"|"attach"|"weightsLost"|"failed"|"transport";
}
