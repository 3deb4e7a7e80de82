// Original file: proto/isobatch/v1/isobatch.proto

import type * as grpc from '@grpc/grpc-js'
import type { MethodDefinition } from '@grpc/proto-loader'
import type { ControlRequest as _isobatch_v1_ControlRequest, ControlRequest__Output as _isobatch_v1_ControlRequest__Output } from '../../isobatch/v1/ControlRequest.js';
import type { ControlResponse as _isobatch_v1_ControlResponse, ControlResponse__Output as _isobatch_v1_ControlResponse__Output } from '../../isobatch/v1/ControlResponse.js';
import type { FetchSamplesRequest as _isobatch_v1_FetchSamplesRequest, FetchSamplesRequest__Output as _isobatch_v1_FetchSamplesRequest__Output } from '../../isobatch/v1/FetchSamplesRequest.js';
import type { GetStatusRequest as _isobatch_v1_GetStatusRequest, GetStatusRequest__Output as _isobatch_v1_GetStatusRequest__Output } from '../../isobatch/v1/GetStatusRequest.js';
import type { JoinRequest as _isobatch_v1_JoinRequest, JoinRequest__Output as _isobatch_v1_JoinRequest__Output } from '../../isobatch/v1/JoinRequest.js';
import type { JoinResponse as _isobatch_v1_JoinResponse, JoinResponse__Output as _isobatch_v1_JoinResponse__Output } from '../../isobatch/v1/JoinResponse.js';
import type { MetricsLine as _isobatch_v1_MetricsLine, MetricsLine__Output as _isobatch_v1_MetricsLine__Output } from '../../isobatch/v1/MetricsLine.js';
import type { SampleBatch as _isobatch_v1_SampleBatch, SampleBatch__Output as _isobatch_v1_SampleBatch__Output } from '../../isobatch/v1/SampleBatch.js';
import type { ShardCommand as _isobatch_v1_ShardCommand, ShardCommand__Output as _isobatch_v1_ShardCommand__Output } from '../../isobatch/v1/ShardCommand.js';
import type { ShardReport as _isobatch_v1_ShardReport, ShardReport__Output as _isobatch_v1_ShardReport__Output } from '../../isobatch/v1/ShardReport.js';
import type { Status as _isobatch_v1_Status, Status__Output as _isobatch_v1_Status__Output } from '../../isobatch/v1/Status.js';
import type { WatchMetricsRequest as _isobatch_v1_WatchMetricsRequest, WatchMetricsRequest__Output as _isobatch_v1_WatchMetricsRequest__Output } from '../../isobatch/v1/WatchMetricsRequest.js';
import type { WorkerCommand as _isobatch_v1_WorkerCommand, WorkerCommand__Output as _isobatch_v1_WorkerCommand__Output } from '../../isobatch/v1/WorkerCommand.js';
import type { WorkerReport as _isobatch_v1_WorkerReport, WorkerReport__Output as _isobatch_v1_WorkerReport__Output } from '../../isobatch/v1/WorkerReport.js';

export interface CoordinatorClient extends grpc.Client {
  Control(argument: _isobatch_v1_ControlRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  Control(argument: _isobatch_v1_ControlRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  Control(argument: _isobatch_v1_ControlRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  Control(argument: _isobatch_v1_ControlRequest, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  control(argument: _isobatch_v1_ControlRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  control(argument: _isobatch_v1_ControlRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  control(argument: _isobatch_v1_ControlRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  control(argument: _isobatch_v1_ControlRequest, callback: grpc.requestCallback<_isobatch_v1_ControlResponse__Output>): grpc.ClientUnaryCall;
  
  FetchSamples(argument: _isobatch_v1_FetchSamplesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_SampleBatch__Output>;
  FetchSamples(argument: _isobatch_v1_FetchSamplesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_SampleBatch__Output>;
  fetchSamples(argument: _isobatch_v1_FetchSamplesRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_SampleBatch__Output>;
  fetchSamples(argument: _isobatch_v1_FetchSamplesRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_SampleBatch__Output>;
  
  GetStatus(argument: _isobatch_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _isobatch_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _isobatch_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  GetStatus(argument: _isobatch_v1_GetStatusRequest, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _isobatch_v1_GetStatusRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _isobatch_v1_GetStatusRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _isobatch_v1_GetStatusRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  getStatus(argument: _isobatch_v1_GetStatusRequest, callback: grpc.requestCallback<_isobatch_v1_Status__Output>): grpc.ClientUnaryCall;
  
  Join(argument: _isobatch_v1_JoinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  Join(argument: _isobatch_v1_JoinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  Join(argument: _isobatch_v1_JoinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  Join(argument: _isobatch_v1_JoinRequest, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  join(argument: _isobatch_v1_JoinRequest, metadata: grpc.Metadata, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  join(argument: _isobatch_v1_JoinRequest, metadata: grpc.Metadata, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  join(argument: _isobatch_v1_JoinRequest, options: grpc.CallOptions, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  join(argument: _isobatch_v1_JoinRequest, callback: grpc.requestCallback<_isobatch_v1_JoinResponse__Output>): grpc.ClientUnaryCall;
  
  Serve(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_ShardReport, _isobatch_v1_ShardCommand__Output>;
  Serve(options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_ShardReport, _isobatch_v1_ShardCommand__Output>;
  serve(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_ShardReport, _isobatch_v1_ShardCommand__Output>;
  serve(options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_ShardReport, _isobatch_v1_ShardCommand__Output>;
  
  WatchMetrics(argument: _isobatch_v1_WatchMetricsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_MetricsLine__Output>;
  WatchMetrics(argument: _isobatch_v1_WatchMetricsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_MetricsLine__Output>;
  watchMetrics(argument: _isobatch_v1_WatchMetricsRequest, metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_MetricsLine__Output>;
  watchMetrics(argument: _isobatch_v1_WatchMetricsRequest, options?: grpc.CallOptions): grpc.ClientReadableStream<_isobatch_v1_MetricsLine__Output>;
  
  Work(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_WorkerReport, _isobatch_v1_WorkerCommand__Output>;
  Work(options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_WorkerReport, _isobatch_v1_WorkerCommand__Output>;
  work(metadata: grpc.Metadata, options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_WorkerReport, _isobatch_v1_WorkerCommand__Output>;
  work(options?: grpc.CallOptions): grpc.ClientDuplexStream<_isobatch_v1_WorkerReport, _isobatch_v1_WorkerCommand__Output>;
  
}

export interface CoordinatorHandlers extends grpc.UntypedServiceImplementation {
  Control: grpc.handleUnaryCall<_isobatch_v1_ControlRequest__Output, _isobatch_v1_ControlResponse>;
  
  FetchSamples: grpc.handleServerStreamingCall<_isobatch_v1_FetchSamplesRequest__Output, _isobatch_v1_SampleBatch>;
  
  GetStatus: grpc.handleUnaryCall<_isobatch_v1_GetStatusRequest__Output, _isobatch_v1_Status>;
  
  Join: grpc.handleUnaryCall<_isobatch_v1_JoinRequest__Output, _isobatch_v1_JoinResponse>;
  
  Serve: grpc.handleBidiStreamingCall<_isobatch_v1_ShardReport__Output, _isobatch_v1_ShardCommand>;
  
  WatchMetrics: grpc.handleServerStreamingCall<_isobatch_v1_WatchMetricsRequest__Output, _isobatch_v1_MetricsLine>;
  
  Work: grpc.handleBidiStreamingCall<_isobatch_v1_WorkerReport__Output, _isobatch_v1_WorkerCommand>;
  
}

export interface CoordinatorDefinition extends grpc.ServiceDefinition {
  Control: MethodDefinition<_isobatch_v1_ControlRequest, _isobatch_v1_ControlResponse, _isobatch_v1_ControlRequest__Output, _isobatch_v1_ControlResponse__Output>
  FetchSamples: MethodDefinition<_isobatch_v1_FetchSamplesRequest, _isobatch_v1_SampleBatch, _isobatch_v1_FetchSamplesRequest__Output, _isobatch_v1_SampleBatch__Output>
  GetStatus: MethodDefinition<_isobatch_v1_GetStatusRequest, _isobatch_v1_Status, _isobatch_v1_GetStatusRequest__Output, _isobatch_v1_Status__Output>
  Join: MethodDefinition<_isobatch_v1_JoinRequest, _isobatch_v1_JoinResponse, _isobatch_v1_JoinRequest__Output, _isobatch_v1_JoinResponse__Output>
  Serve: MethodDefinition<_isobatch_v1_ShardReport, _isobatch_v1_ShardCommand, _isobatch_v1_ShardReport__Output, _isobatch_v1_ShardCommand__Output>
  WatchMetrics: MethodDefinition<_isobatch_v1_WatchMetricsRequest, _isobatch_v1_MetricsLine, _isobatch_v1_WatchMetricsRequest__Output, _isobatch_v1_MetricsLine__Output>
  Work: MethodDefinition<_isobatch_v1_WorkerReport, _isobatch_v1_WorkerCommand, _isobatch_v1_WorkerReport__Output, _isobatch_v1_WorkerCommand__Output>
}
