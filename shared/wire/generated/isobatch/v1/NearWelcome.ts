// Original file: proto/isobatch/v1/isobatch.proto


export interface NearWelcome {
}

export interface NearWelcome__Output {
}
