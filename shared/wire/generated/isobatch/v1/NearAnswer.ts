// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface NearAnswer {
  'lease'?: (number | string | Long);
  'accepted'?: (number);
  'dropped'?: (number);
  'lent'?: (boolean);
  'refused'?: (string);
}

export interface NearAnswer__Output {
  'lease': (number);
  'accepted': (number);
  'dropped': (number);
  'lent': (boolean);
  'refused': (string);
}
