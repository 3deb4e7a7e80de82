// Original file: proto/isobatch/v1/isobatch.proto


export interface StopRun {
}

export interface StopRun__Output {
}
