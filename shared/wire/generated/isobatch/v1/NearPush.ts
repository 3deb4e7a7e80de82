// Original file: proto/isobatch/v1/isobatch.proto

import type { PushLease as _isobatch_v1_PushLease, PushLease__Output as _isobatch_v1_PushLease__Output } from '../../isobatch/v1/PushLease.js';
import type { NearNode as _isobatch_v1_NearNode, NearNode__Output as _isobatch_v1_NearNode__Output } from '../../isobatch/v1/NearNode.js';

export interface NearPush {
  'lease'?: (_isobatch_v1_PushLease | null);
  'lend'?: (boolean);
  'nodes'?: (_isobatch_v1_NearNode)[];
}

export interface NearPush__Output {
  'lease': (_isobatch_v1_PushLease__Output | null);
  'lend': (boolean);
  'nodes': (_isobatch_v1_NearNode__Output)[];
}
