// Original file: proto/isobatch/v1/isobatch.proto


export interface WeightsLost {
}

export interface WeightsLost__Output {
}
