// Original file: proto/isobatch/v1/isobatch.proto

import type { ShardAddress as _isobatch_v1_ShardAddress, ShardAddress__Output as _isobatch_v1_ShardAddress__Output } from '../../isobatch/v1/ShardAddress.js';
import type { RunEnded as _isobatch_v1_RunEnded, RunEnded__Output as _isobatch_v1_RunEnded__Output } from '../../isobatch/v1/RunEnded.js';

export interface JoinResponse {
  'workerId'?: (string);
  'runId'?: (string);
  'taskJson'?: (string);
  'topologyJson'?: (string);
  'layoutJson'?: (string);
  'shards'?: (_isobatch_v1_ShardAddress)[];
  'datasetFingerprint'?: (string);
  'heartbeatMs'?: (number);
  'evaluationBatches'?: (number);
  'sampleFormJson'?: (string);
  'seal'?: (Buffer | Uint8Array | string);
  'ended'?: (_isobatch_v1_RunEnded | null);
}

export interface JoinResponse__Output {
  'workerId': (string);
  'runId': (string);
  'taskJson': (string);
  'topologyJson': (string);
  'layoutJson': (string);
  'shards': (_isobatch_v1_ShardAddress__Output)[];
  'datasetFingerprint': (string);
  'heartbeatMs': (number);
  'evaluationBatches': (number);
  'sampleFormJson': (string);
  'seal': (Buffer);
  'ended': (_isobatch_v1_RunEnded__Output | null);
}
