// Original file: proto/isobatch/v1/isobatch.proto


export interface Drain {
}

export interface Drain__Output {
}
