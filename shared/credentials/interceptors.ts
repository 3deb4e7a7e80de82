import { InterceptingCall, type Interceptor } from "@grpc/grpc-js";
import { parseToken } from "./token.js";

/**
 * Every call carries `authorization: Bearer SECRET`. An interceptor adds it instead of call credentials, which grpc-js
 * refuses to send on a connection without TLS, such as one within a machine.
 */
export const AUTHORIZATION = "authorization";
export const SCHEME = "Bearer ";

/** The interceptor of a client, which adds the token's secret to every call. */
export function sendToken(token: string): Interceptor {
  const { secret } = parseToken(token);
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set(AUTHORIZATION, SCHEME + secret);
        next(metadata, listener);
      },
    });
}
