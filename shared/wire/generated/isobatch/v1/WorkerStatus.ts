// Original file: proto/isobatch/v1/isobatch.proto

import type { Numerics as _isobatch_v1_Numerics, Numerics__Output as _isobatch_v1_Numerics__Output } from '../../isobatch/v1/Numerics.js';
import type { Long } from '@grpc/proto-loader';

export interface WorkerStatus {
  'id'?: (string);
  'host'?: (string);
  'processId'?: (number);
  'numerics'?: (_isobatch_v1_Numerics | null);
  'computeThreads'?: (number);
  'state'?: (string);
  'microBatchesPerSecond'?: (number | string);
  'microBatches'?: (number | string | Long);
  'lastSeenSeconds'?: (number | string);
  'device'?: (string);
  'transport'?: (string);
}

export interface WorkerStatus__Output {
  'id': (string);
  'host': (string);
  'processId': (number);
  'numerics': (_isobatch_v1_Numerics__Output | null);
  'computeThreads': (number);
  'state': (string);
  'microBatchesPerSecond': (number);
  'microBatches': (number);
  'lastSeenSeconds': (number);
  'device': (string);
  'transport': (string);
}
