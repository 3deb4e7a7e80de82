import type {
  handleBidiStreamingCall,
  handleClientStreamingCall,
  handleServerStreamingCall,
  handleUnaryCall,
  ServerDuplexStream,
  ServerReadableStream,
  ServerUnaryCall,
  ServerWritableStream,
} from "@grpc/grpc-js";
import { IsobatchError } from "../errors.js";
import { toStatus } from "./status.js";

/**
 * A server's handlers as async functions, typed by the wrapper for their kind: the return value is the answer, and an
 * exception becomes the call's status. The client receives every error; `onBug` is called with those that are not
 * IsobatchErrors, and the method's path.
 */
export function createHandlers(onBug: (error: unknown, method: string) => void) {
  const statusOf = (error: unknown, call: { getPath(): string }) => {
    if (!(error instanceof IsobatchError)) onBug(error, call.getPath());
    return toStatus(error);
  };
  return {
    unary:
      <In, Out>(handler: (call: ServerUnaryCall<In, Out>) => Promise<Out> | Out): handleUnaryCall<In, Out> =>
      async (call, answer) => {
        try {
          answer(null, await handler(call));
        } catch (error) {
          answer(statusOf(error, call));
        }
      },
    /** The client may still be sending when the handler answers; those messages are dropped. */
    clientStream:
      <In, Out>(
        handler: (call: ServerReadableStream<In, Out>) => Promise<Out> | Out,
      ): handleClientStreamingCall<In, Out> =>
      async (call, answer) => {
        try {
          answer(null, await handler(call));
        } catch (error) {
          answer(statusOf(error, call));
        }
      },
    /** The call ends when the handler's promise is settled. */
    serverStream:
      <In, Out>(
        handler: (call: ServerWritableStream<In, Out>) => Promise<void> | void,
      ): handleServerStreamingCall<In, Out> =>
      async (call) => {
        try {
          await handler(call);
          call.end();
        } catch (error) {
          call.emit("error", statusOf(error, call));
        }
      },
    bidi:
      <In, Out>(
        handler: (call: ServerDuplexStream<In, Out>) => Promise<void> | void,
      ): handleBidiStreamingCall<In, Out> =>
      async (call) => {
        try {
          await handler(call);
          call.end();
        } catch (error) {
          call.emit("error", statusOf(error, call));
        }
      },
  };
}
