import type { ServerInterceptingCall, ServerInterceptor } from "@grpc/grpc-js";
import { type Frame, type SerialisedMessage, writeFrame } from "./chunk-messages.js";
import { createMessageDecoder, FRAME_BYTES, type MessageDecoder } from "./message-decoder.js";

/**
 * Makes grpc-js (1.14) send frames as they are and receive into memory that is reused, where it would allocate for each
 * message and copy. It reaches into private members, therefore package.json pins the minor version; the tests fail when
 * an update moves them.
 */

/** For a server: the first of its interceptors. */
export const reuseServerMemory: ServerInterceptor = (_method, call) => {
  const inner = call as unknown as ServerCallInternals;
  if (typeof inner.decoder?.write !== "function" || typeof inner.serializeMessage !== "function") throw moved();
  inner.decoder = createMessageDecoder(inner.maxReceiveMessageSize);
  const { serialize } = inner.handler;
  inner.serializeMessage = (value) => {
    const message = serialize(value);
    return "frame" in message ? message.frame : framed(message);
  };
  return call as ServerInterceptingCall;
};

/** For a client: the internal channel of its `Channel`. */
export function sendFrames(channel: ChannelInternals | undefined): void {
  const factory = channel?.filterStackFactory?.factories?.[0];
  if (typeof factory?.createFilter !== "function") throw moved();
  const create = factory.createFilter;
  factory.createFilter = () => {
    const filter = create.call(factory);
    const { sendCompression } = filter;
    if (typeof sendCompression?.writeMessage !== "function") throw moved();
    sendCompression.writeMessage = async (message) => ("frame" in message ? message.frame : framed(message));
    return filter;
  };
}

/** For a client: one of its connections. */
export function reuseClientMemory<Transport>(transport: Transport): Transport {
  const inner = transport as TransportInternals;
  const { createCall } = inner;
  if (typeof createCall !== "function") throw moved();
  inner.createCall = (...args) => {
    const call = createCall.apply(inner, args);
    if (typeof call.decoder?.write !== "function") throw moved();
    Object.assign(call, { decoder: createMessageDecoder(call.decoder.maxReadMessageLength) });
    return call;
  };
  return transport;
}

/** Frames a message as grpc-js would. */
function framed(message: SerialisedMessage): Buffer {
  return writeFrame(Buffer.allocUnsafe(FRAME_BYTES + message.length), message);
}

function moved(): Error {
  return new Error("This version of @grpc/grpc-js keeps its messages elsewhere: see shared/wire/reuse.ts");
}

interface ServerCallInternals {
  decoder: MessageDecoder;
  readonly maxReceiveMessageSize: number;
  readonly handler: { serialize(value: unknown): SerialisedMessage | Frame };
  serializeMessage(value: unknown): Buffer;
}

export interface ChannelInternals {
  filterStackFactory?: { factories?: { createFilter(): Filter }[] };
}

interface Filter {
  sendCompression?: { writeMessage(message: SerialisedMessage | Frame, compress: boolean): Promise<Buffer> };
}

interface TransportInternals {
  createCall(...args: unknown[]): { decoder: MessageDecoder & { readonly maxReadMessageLength: number } };
}
