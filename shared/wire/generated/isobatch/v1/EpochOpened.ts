// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface EpochOpened {
  'epoch'?: (number | string | Long);
  'version'?: (number | string | Long);
}

export interface EpochOpened__Output {
  'epoch': (number);
  'version': (number);
}
