// Original file: proto/isobatch/v1/isobatch.proto

import type { MergedRange as _isobatch_v1_MergedRange, MergedRange__Output as _isobatch_v1_MergedRange__Output } from '../../isobatch/v1/MergedRange.js';

export interface MergedRanges {
  'firstChunk'?: (number);
  'endChunk'?: (number);
  'ranges'?: (_isobatch_v1_MergedRange)[];
}

export interface MergedRanges__Output {
  'firstChunk': (number);
  'endChunk': (number);
  'ranges': (_isobatch_v1_MergedRange__Output)[];
}
