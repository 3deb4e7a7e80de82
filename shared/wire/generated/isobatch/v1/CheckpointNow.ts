// Original file: proto/isobatch/v1/isobatch.proto


export interface CheckpointNow {
}

export interface CheckpointNow__Output {
}
