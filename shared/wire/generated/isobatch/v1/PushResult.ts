// Original file: proto/isobatch/v1/isobatch.proto


export interface PushResult {
  'accepted'?: (number);
  'dropped'?: (number);
}

export interface PushResult__Output {
  'accepted': (number);
  'dropped': (number);
}
