// Original file: proto/isobatch/v1/isobatch.proto


export interface Heartbeat {
}

export interface Heartbeat__Output {
}
