// Original file: proto/isobatch/v1/isobatch.proto

import type { MergedRanges as _isobatch_v1_MergedRanges, MergedRanges__Output as _isobatch_v1_MergedRanges__Output } from '../../isobatch/v1/MergedRanges.js';
import type { Long } from '@grpc/proto-loader';

export interface Committed {
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'ledger'?: (_isobatch_v1_MergedRanges)[];
  'losses'?: (number | string)[];
  'squaredNorms1'?: (number | string)[];
  'sums2'?: (number | string)[];
  'mergeMs'?: (number | string);
  'applyMs'?: (number | string);
  'bytesReceived'?: (number | string | Long);
}

export interface Committed__Output {
  'term': (number);
  'step': (number);
  'ledger': (_isobatch_v1_MergedRanges__Output)[];
  'losses': (number)[];
  'squaredNorms1': (number)[];
  'sums2': (number)[];
  'mergeMs': (number);
  'applyMs': (number);
  'bytesReceived': (number);
}
