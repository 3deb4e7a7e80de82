import { fileURLToPath } from "node:url";
import { loadPackageDefinition } from "@grpc/grpc-js";
import { loadSync, type PackageDefinition } from "@grpc/proto-loader";
import { type Codec, pushMessageCodec, sampleBatchCodec, weightsChunkCodec } from "./chunk-messages.js";
import type { PushMessage, PushMessage__Output } from "./generated/index.js";
import type { ProtoGrpcType } from "./generated/isobatch.js";

/**
 * The services of proto/isobatch/v1, loaded at run time from the copy that the build puts beside the code, and typed
 * by what `npm run generate` wrote with the same options: camelCase names, 64-bit integers as numbers (ours stay
 * below 2^53), every field present. The three messages that carry megabytes get serialisers of their own.
 */
function load(): PackageDefinition {
  const file = fileURLToPath(new URL("../../proto/isobatch/v1/isobatch.proto", import.meta.url));
  const definition = loadSync(file, { longs: Number, enums: String, defaults: true, oneofs: true });
  const methods = (service: string) => definition[`isobatch.v1.${service}`] as unknown as Record<string, Method>;

  const { FetchSamples } = methods("Coordinator");
  const { PushSums, WatchWeights } = methods("Shard");
  const pushMessage = pushMessageCodec({
    serialise: PushSums.requestSerialize as Codec<PushMessage, PushMessage__Output>["serialise"],
    deserialise: PushSums.requestDeserialize as Codec<PushMessage, PushMessage__Output>["deserialise"],
  });
  PushSums.requestSerialize = pushMessage.serialise;
  PushSums.requestDeserialize = pushMessage.deserialise;
  WatchWeights.responseSerialize = weightsChunkCodec.serialise;
  WatchWeights.responseDeserialize = weightsChunkCodec.deserialise;
  FetchSamples.responseSerialize = sampleBatchCodec.serialise;
  FetchSamples.responseDeserialize = sampleBatchCodec.deserialise;
  return definition;
}

/** The part of a loaded method that is replaced, without the types that the loader doesn't know. */
type Method = Record<
  "requestSerialize" | "requestDeserialize" | "responseSerialize" | "responseDeserialize",
  (input: never) => unknown
>;

const { Coordinator, Shard } = (loadPackageDefinition(load()) as unknown as ProtoGrpcType).isobatch.v1;

/** Constructors of typed clients, for `connect`. */
export { Coordinator as CoordinatorClient, Shard as ShardClient };

/** Definitions, for `server.addService(coordinatorService, handlers)` and `call(client, coordinatorService.Join, …)`. */
export const coordinatorService = Coordinator.service;
export const shardService = Shard.service;
