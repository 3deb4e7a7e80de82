// Original file: proto/isobatch/v1/isobatch.proto


export interface NearInvitation {
  'memory'?: (string);
}

export interface NearInvitation__Output {
  'memory': (string);
}
