// Original file: proto/isobatch/v1/isobatch.proto

import type { NearHello as _isobatch_v1_NearHello, NearHello__Output as _isobatch_v1_NearHello__Output } from '../../isobatch/v1/NearHello.js';
import type { NearSlots as _isobatch_v1_NearSlots, NearSlots__Output as _isobatch_v1_NearSlots__Output } from '../../isobatch/v1/NearSlots.js';
import type { NearPush as _isobatch_v1_NearPush, NearPush__Output as _isobatch_v1_NearPush__Output } from '../../isobatch/v1/NearPush.js';

export interface NearRequest {
  'hello'?: (_isobatch_v1_NearHello | null);
  'slots'?: (_isobatch_v1_NearSlots | null);
  'push'?: (_isobatch_v1_NearPush | null);
  'request'?: "hello"|"slots"|"push";
}

export interface NearRequest__Output {
  'hello'?: (_isobatch_v1_NearHello__Output | null);
  'slots'?: (_isobatch_v1_NearSlots__Output | null);
  'push'?: (_isobatch_v1_NearPush__Output | null);
  'request'?: "hello"|"slots"|"push";
}
