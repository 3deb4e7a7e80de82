// Original file: proto/isobatch/v1/isobatch.proto

import type { Numerics as _isobatch_v1_Numerics, Numerics__Output as _isobatch_v1_Numerics__Output } from '../../isobatch/v1/Numerics.js';

export interface JoinRequest {
  'version'?: (string);
  'numerics'?: (_isobatch_v1_Numerics | null);
  'host'?: (string);
  'processId'?: (number);
  'computeThreads'?: (number);
  'device'?: (string);
  'runId'?: (string);
}

export interface JoinRequest__Output {
  'version': (string);
  'numerics': (_isobatch_v1_Numerics__Output | null);
  'host': (string);
  'processId': (number);
  'computeThreads': (number);
  'device': (string);
  'runId': (string);
}
