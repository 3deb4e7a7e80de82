// Original file: proto/isobatch/v1/isobatch.proto

import type { Long } from '@grpc/proto-loader';

export interface PushLease {
  'workerId'?: (string);
  'lease'?: (number | string | Long);
  'term'?: (number | string | Long);
  'step'?: (number | string | Long);
  'lo'?: (number);
  'hi'?: (number);
  'mac'?: (Buffer | Uint8Array | string);
  'losses'?: (number | string)[];
  'seal'?: (Buffer | Uint8Array | string);
}

export interface PushLease__Output {
  'workerId': (string);
  'lease': (number);
  'term': (number);
  'step': (number);
  'lo': (number);
  'hi': (number);
  'mac': (Buffer);
  'losses': (number)[];
  'seal': (Buffer);
}
