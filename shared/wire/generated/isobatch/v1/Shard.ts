// Original file: proto/isobatch/v1/isobatch.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { NearEvent as _isobatch_v1_NearEvent, NearEvent__Output as _isobatch_v1_NearEvent__Output } from '../../isobatch/v1/NearEvent.js';
import type { NearRequest as _isobatch_v1_NearRequest, NearRequest__Output as _isobatch_v1_NearRequest__Output } from '../../isobatch/v1/NearRequest.js';
import type { PushMessage as _isobatch_v1_PushMessage, PushMessage__Output as _isobatch_v1_PushMessage__Output } from '../../isobatch/v1/PushMessage.js';
import type { PushResult as _isobatch_v1_PushResult, PushResult__Output as _isobatch_v1_PushResult__Output } from '../../isobatch/v1/PushResult.js';
import type { WatchWeightsRequest as _isobatch_v1_WatchWeightsRequest, WatchWeightsRequest__Output as _isobatch_v1_WatchWeightsRequest__Output } from '../../isobatch/v1/WatchWeightsRequest.js';
import type { WeightsChunk as _isobatch_v1_WeightsChunk, WeightsChunk__Output as _isobatch_v1_WeightsChunk__Output } from '../../isobatch/v1/WeightsChunk.js';

export interface ShardClient extends grpc.Client {
  Near(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_NearRequest, _isobatch_v1_NearEvent__Output>;
  Near(options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_NearRequest, _isobatch_v1_NearEvent__Output>;
  near(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_NearRequest, _isobatch_v1_NearEvent__Output>;
  near(options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_NearRequest, _isobatch_v1_NearEvent__Output>;
  
  PushSums(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  PushSums(metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  PushSums(options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  PushSums(callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  pushSums(metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  pushSums(metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  pushSums(options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  pushSums(callback: grpc.requestCallback<_isobatch_v1_PushResult__Output>): grpc.ClientWritableStream<_isobatch_v1_PushMessage>;
  
  WatchWeights(argument: _isobatch_v1_WatchWeightsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_WeightsChunk__Output>;
  WatchWeights(argument: _isobatch_v1_WatchWeightsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_WeightsChunk__Output>;
  watchWeights(argument: _isobatch_v1_WatchWeightsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_WeightsChunk__Output>;
  watchWeights(argument: _isobatch_v1_WatchWeightsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_WeightsChunk__Output>;
  
}

export interface ShardHandlers extends grpc.UntypedServiceImplementation {
  Near: grpc.handleBidiStreamingCall<_isobatch_v1_NearRequest__Output, _isobatch_v1_NearEvent>;
  
  PushSums: grpc.handleClientStreamingCall<_isobatch_v1_PushMessage__Output, _isobatch_v1_PushResult>;
  
  WatchWeights: grpc.handleServerStreamingCall<_isobatch_v1_WatchWeightsRequest__Output, _isobatch_v1_WeightsChunk>;
  
}

export interface ShardDefinition extends grpc.ServiceDefinition {
  Near: MethodDefinition<_isobatch_v1_NearRequest, _isobatch_v1_NearEvent, _isobatch_v1_NearRequest__Output, _isobatch_v1_NearEvent__Output>
  PushSums: MethodDefinition<_isobatch_v1_PushMessage, _isobatch_v1_PushResult, _isobatch_v1_PushMessage__Output, _isobatch_v1_PushResult__Output>
  WatchWeights: MethodDefinition<_isobatch_v1_WatchWeightsRequest, _isobatch_v1_WeightsChunk, _isobatch_v1_WatchWeightsRequest__Output, _isobatch_v1_WeightsChunk__Output>
}
