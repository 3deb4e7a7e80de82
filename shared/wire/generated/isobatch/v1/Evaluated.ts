// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface Evaluated {
  'term'?: (number | string | Long);
  'version'?: (number | string | Long);
  'firstBatch'?: (number);
  'lossSums'?: (number | string)[];
  'correct'?: (number | string)[];
  'failed'?: (string);
  'transient'?: (boolean);
}

export interface Evaluated__Output {
  'term': (number);
  'version': (number);
  'firstBatch': (number);
  'lossSums': (number)[];
  'correct': (number)[];
  'failed': (string);
  'transient': (boolean);
}
