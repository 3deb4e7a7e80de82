// Original file: proto/isobatch/v1/isobatch.proto

import type { PushLease as _isobatch_v1_PushLease, PushLease__Output as _isobatch_v1_PushLease__Output } from '../../isobatch/v1/PushLease.js';
import type { SumsChunk as _isobatch_v1_SumsChunk, SumsChunk__Output as _isobatch_v1_SumsChunk__Output } from '../../isobatch/v1/SumsChunk.js';

export interface PushMessage {
  'lease'?: (_isobatch_v1_PushLease | null);
  'chunk'?: (_isobatch_v1_SumsChunk | null);
  'message'?: "lease"|"chunk";
}

export interface PushMessage__Output {
  'lease'?: (_isobatch_v1_PushLease__Output | null);
  'chunk'?: (_isobatch_v1_SumsChunk__Output | null);
  'message'?: "lease"|"chunk";
}
