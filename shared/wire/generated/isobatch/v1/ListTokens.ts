// Original file: proto/isobatch/v1/isobatch.proto


export interface ListTokens {
}

export interface ListTokens__Output {
}
