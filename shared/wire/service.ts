import { fileURLToPath } from "node:url";
import {
  type Client,
  type ClientDuplexStream,
  type ClientReadableStream,
  type ClientWritableStream,
  type handleBidiStreamingCall,
  type handleClientStreamingCall,
  type handleServerStreamingCall,
  type handleUnaryCall,
  loadPackageDefinition,
  type MethodDefinition,
  type requestCallback,
  type ServiceClientConstructor,
} from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { type Frame, pushMessageCodec, sampleBatchCodec, weightsChunkCodec } from "./chunk-messages.js";
import {
  type ControlRequest,
  type ControlResponse,
  controlRequest,
  type FetchSamplesRequest,
  type JoinRequest,
  type JoinResponse,
  joinRequest,
  joinResponse,
  type MetricsMessage,
  type NearEvent,
  type NearRequest,
  nearEvent,
  nearRequest,
  type PushMessage,
  type PushResult,
  pushMessage,
  type SampleBatchMessage,
  type ShardCommand,
  type ShardReportMessage,
  type Status,
  shardCommand,
  shardReport,
  statusForm,
  type WatchMetricsRequest,
  type WatchWeightsRequest,
  type WeightsChunk,
  type WorkerCommand,
  type WorkerReportMessage,
  workerCommand,
  workerReport,
} from "./messages/index.js";

/**
 * The services of proto/isobatch/v1, loaded at run time from the copy that the build puts next to the code. Callers and
 * handlers see the plain messages of messages/: protobuf.js's forms do not leave this room. Its options are those with
 * which `npm run generate` wrote the types of its messages: camelCase names, 64-bit integers as numbers (ours stay
 * below 2^53), every field present. The three messages that carry megabytes have their own serialisers.
 */
function load(): PackageDefinition {
  const file = fileURLToPath(new URL("../../proto/isobatch/v1/isobatch.proto", import.meta.url));
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true, oneofs: true });
  const methods = (service: string) => definition[`isobatch.v1.${service}`] as unknown as Record<string, LoadedMethod>;

  const { Join, Work, Serve, FetchSamples, GetStatus, Control } = methods("Coordinator");
  usePlain(Join, joinRequest, joinResponse);
  usePlain(Work, workerReport, workerCommand);
  usePlain(Serve, shardReport, shardCommand);
  usePlain(GetStatus, undefined, statusForm);
  usePlain(Control, controlRequest, undefined);
  FetchSamples.responseSerialize = sampleBatchCodec.serialise;
  FetchSamples.responseDeserialize = sampleBatchCodec.deserialise;

  const { PushSums, WatchWeights, Near } = methods("Shard");
  usePlain(PushSums, pushMessage, undefined);
  usePlain(Near, nearRequest, nearEvent);
  const push = pushMessageCodec({
    serialise: PushSums.requestSerialize as (message: PushMessage) => Buffer,
    deserialise: PushSums.requestDeserialize as (bytes: Buffer) => PushMessage,
  });
  PushSums.requestSerialize = push.serialise;
  PushSums.requestDeserialize = push.deserialise;
  WatchWeights.responseSerialize = weightsChunkCodec.serialise;
  WatchWeights.responseDeserialize = weightsChunkCodec.deserialise;
  return definition;
}

/** The part of a loaded method that is replaced, without the types that the loader doesn't know. */
type LoadedMethod = Record<
  "requestSerialize" | "requestDeserialize" | "responseSerialize" | "responseDeserialize",
  (input: never) => unknown
>;

interface AnyForm {
  encode(message: never): unknown;
  decode(message: never): unknown;
}

/** Makes the method take and return plain messages; undefined for messages that are plain in protobuf.js's form. */
function usePlain(method: LoadedMethod, request: AnyForm | undefined, response: AnyForm | undefined): void {
  if (request !== undefined) {
    method.requestSerialize = before(request.encode, method.requestSerialize);
    method.requestDeserialize = before(method.requestDeserialize, request.decode);
  }
  if (response !== undefined) {
    method.responseSerialize = before(response.encode, method.responseSerialize);
    method.responseDeserialize = before(method.responseDeserialize, response.decode);
  }
}

function before(first: (input: never) => unknown, second: (input: never) => unknown): (input: never) => unknown {
  return (input) => second(first(input) as never);
}

/** `MethodDefinition` is written out, so that no method takes or gives anything but its plain message. */
type Methods<Messages extends Record<string, readonly [request: unknown, response: unknown]>> = {
  readonly [Name in keyof Messages]: MethodDefinition<Messages[Name][0], Messages[Name][1]>;
};

export type CoordinatorService = Methods<{
  Join: [JoinRequest, JoinResponse];
  Work: [WorkerReportMessage, WorkerCommand];
  Serve: [ShardReportMessage, ShardCommand];
  FetchSamples: [FetchSamplesRequest, SampleBatchMessage];
  GetStatus: [object, Status];
  WatchMetrics: [WatchMetricsRequest, MetricsMessage];
  Control: [ControlRequest, ControlResponse];
}>;

export type ShardService = Methods<{
  PushSums: [PushMessage, PushResult];
  WatchWeights: [WatchWeightsRequest, WeightsChunk];
  Near: [NearRequest, NearEvent];
}>;

/** A server's handlers for the coordinator's service. */
export type CoordinatorHandlers = {
  Join: handleUnaryCall<JoinRequest, JoinResponse>;
  Work: handleBidiStreamingCall<WorkerReportMessage, WorkerCommand>;
  Serve: handleBidiStreamingCall<ShardReportMessage, ShardCommand>;
  FetchSamples: handleServerStreamingCall<FetchSamplesRequest, SampleBatchMessage>;
  GetStatus: handleUnaryCall<object, Status>;
  WatchMetrics: handleServerStreamingCall<WatchMetricsRequest, MetricsMessage>;
  Control: handleUnaryCall<ControlRequest, ControlResponse>;
};

/** A server's handlers for a shard's service. */
export type ShardHandlers = {
  PushSums: handleClientStreamingCall<PushMessage, PushResult>;
  WatchWeights: handleServerStreamingCall<WatchWeightsRequest, WeightsChunk>;
  Near: handleBidiStreamingCall<NearRequest, NearEvent>;
};

/** The coordinator's streams; its unary methods are for `call`. */
export interface CoordinatorClient extends Client {
  work(): ClientDuplexStream<WorkerReportMessage, WorkerCommand>;
  serve(): ClientDuplexStream<ShardReportMessage, ShardCommand>;
  fetchSamples(request: FetchSamplesRequest): ClientReadableStream<SampleBatchMessage>;
  watchMetrics(request: WatchMetricsRequest): ClientReadableStream<MetricsMessage>;
}

export interface ShardClient extends Client {
  pushSums(answer: requestCallback<PushResult>): ClientWritableStream<PushMessage | Frame>;
  watchWeights(request: WatchWeightsRequest): ClientReadableStream<WeightsChunk>;
  near(): ClientDuplexStream<NearRequest, NearEvent>;
}

type ClientConstructor<Methods extends Client> = new (
  ...given: ConstructorParameters<ServiceClientConstructor>
) => Methods;

const { Coordinator, Shard } = (
  loadPackageDefinition(load()) as unknown as {
    isobatch: { v1: Record<"Coordinator" | "Shard", ServiceClientConstructor> };
  }
).isobatch.v1;

/** Constructors of typed clients, for `connect`. */
export const CoordinatorClient = Coordinator as unknown as ClientConstructor<CoordinatorClient>;
export const ShardClient = Shard as unknown as ClientConstructor<ShardClient>;

/** Definitions, for `server.addService(coordinatorService, handlers)` and `call(client, coordinatorService.Join, …)`. */
export const coordinatorService = Coordinator.service as unknown as CoordinatorService;
export const shardService = Shard.service as unknown as ShardService;
