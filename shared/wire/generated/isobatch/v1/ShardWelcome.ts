// Original file: proto/isobatch/v1/isobatch.proto

import type { Passes as _isobatch_v1_Passes, Passes__Output as _isobatch_v1_Passes__Output } from '../../isobatch/v1/Passes.js';

export interface ShardWelcome {
  'runId'?: (string);
  'leaseKey'?: (Buffer | Uint8Array | string);
  'layoutJson'?: (string);
  'firstChunk'?: (number);
  'endChunk'?: (number);
  'taskHash'?: (string);
  'passes'?: (_isobatch_v1_Passes | null);
  'wire'?: (string);
}

export interface ShardWelcome__Output {
  'runId': (string);
  'leaseKey': (Buffer);
  'layoutJson': (string);
  'firstChunk': (number);
  'endChunk': (number);
  'taskHash': (string);
  'passes': (_isobatch_v1_Passes__Output | null);
  'wire': (string);
}
