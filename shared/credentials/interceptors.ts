import {
  InterceptingCall,
  type Interceptor,
  Metadata,
  ServerInterceptingCall,
  type ServerInterceptor,
  status,
} from "@grpc/grpc-js";
import { secretsEqual } from "./token.js";

/**
 * Every call carries `authorization: Bearer TOKEN`. Interceptors do it on both sides, and not call credentials,
 * which grpc-js refuses to send on a connection without TLS, as those within one machine are.
 */
const HEADER = "authorization";
const SCHEME = "Bearer ";

/** Orchestrators probe health without a token; it tells nothing but whether the server is up. */
const OPEN_SERVICE = "/grpc.health.v1.Health/";

/** For a client: adds `token` to every call. */
export function sendToken(token: string): Interceptor {
  return (options, nextCall) =>
    new InterceptingCall(nextCall(options), {
      start(metadata, listener, next) {
        metadata.set(HEADER, SCHEME + token);
        next(metadata, listener);
      },
    });
}

/** For a server: answers UNAUTHENTICATED to a call without `token`; its handler never hears of it. */
export function requireToken(token: string): ServerInterceptor {
  return (method, call) => {
    if (method.path.startsWith(OPEN_SERVICE)) return new ServerInterceptingCall(call);
    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, pass) {
            const refusal = refuse(metadata.get(HEADER), token);
            if (refusal === undefined) pass(metadata);
            else call.sendStatus({ code: status.UNAUTHENTICATED, details: refusal, metadata: new Metadata() });
          },
        });
      },
    });
  };
}

function refuse(values: (string | Buffer)[], token: string): string | undefined {
  if (values.length === 0) {
    return "The server wants its join token, and none was given: set ISOBATCH_TOKEN or --token-file.";
  }
  const [value] = values;
  const right = values.length === 1 && typeof value === "string" && secretsEqual(value, SCHEME + token);
  return right ? undefined : "The join token is not this server's: use the one that it printed.";
}
