// Original file: proto/isobatch/v1/isobatch.proto


export interface NearHello {
  'workerId'?: (string);
  'seal'?: (Buffer | Uint8Array | string);
  'proof'?: (Buffer | Uint8Array | string);
  'memory'?: (string);
}

export interface NearHello__Output {
  'workerId': (string);
  'seal': (Buffer);
  'proof': (Buffer);
  'memory': (string);
}
