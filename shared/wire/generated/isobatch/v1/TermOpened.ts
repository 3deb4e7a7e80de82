// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface TermOpened {
  'term'?: (number | string | Long);
  'version'?: (number | string | Long);
}

export interface TermOpened__Output {
  'term': (number);
  'version': (number);
}
