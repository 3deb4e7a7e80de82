// Original file: proto/isobatch/v1/isobatch.proto

import type { RejectedPushes as _isobatch_v1_RejectedPushes, RejectedPushes__Output as _isobatch_v1_RejectedPushes__Output } from '../../isobatch/v1/RejectedPushes.js';
import type { Long } from '@grpc/proto-loader';

export interface ShardTraffic {
  'bytesReceived'?: (number | string | Long);
  'bytesSent'?: (number | string | Long);
  'rejected'?: (_isobatch_v1_RejectedPushes)[];
}

export interface ShardTraffic__Output {
  'bytesReceived': (number);
  'bytesSent': (number);
  'rejected': (_isobatch_v1_RejectedPushes__Output)[];
}
