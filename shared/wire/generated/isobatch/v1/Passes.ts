// Original file: proto/isobatch/v1/isobatch.proto

import type { Pass as _isobatch_v1_Pass, Pass__Output as _isobatch_v1_Pass__Output } from '../../isobatch/v1/Pass.js';

export interface Passes {
  'passes'?: (_isobatch_v1_Pass)[];
}

export interface Passes__Output {
  'passes': (_isobatch_v1_Pass__Output)[];
}
