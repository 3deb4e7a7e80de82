// Original file: proto/isobatch/v1/isobatch.proto

import type { TokenInfo as _isobatch_v1_TokenInfo, TokenInfo__Output as _isobatch_v1_TokenInfo__Output } from '../../isobatch/v1/TokenInfo.js';

export interface ControlResponse {
  'message'?: (string);
  'name'?: (string);
  'token'?: (string);
  'tokens'?: (_isobatch_v1_TokenInfo)[];
}

export interface ControlResponse__Output {
  'message': (string);
  'name': (string);
  'token': (string);
  'tokens': (_isobatch_v1_TokenInfo__Output)[];
}
