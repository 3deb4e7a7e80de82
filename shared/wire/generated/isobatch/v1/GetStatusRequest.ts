// Original file: proto/isobatch/v1/isobatch.proto


export interface GetStatusRequest {
}

export interface GetStatusRequest__Output {
}
