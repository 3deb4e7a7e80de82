import { Metadata, ServerInterceptingCall, type ServerInterceptor, status } from "@grpc/grpc-js";
import { AUTHORIZATION, type Gate, mayCall, SCHEME, type TokenIdentity } from "../credentials/index.js";
import { resetServerCall } from "./http2-server.js";

/** Orchestrators probe health without a token; the answer only says whether the server is up. */
const OPEN_SERVICE = "/grpc.health.v1.Health/";

/** A call that is cut off gets its reason, and this long to read what was sent before. */
const FAREWELL_MS = 1_000;

/** The caller of each call; keyed by an object that the handler receives, so that no caller can claim it. */
const identities = new WeakMap<Metadata, TokenIdentity>();

/** The caller of the call that a handler received. Undefined on a server without a gate. */
export function callerOf(call: { readonly metadata: Metadata }): TokenIdentity | undefined {
  return identities.get(call.metadata);
}

/** Admits a request by its authorization header. */
export function bearer(gate: Gate, authorization: unknown): ReturnType<Gate["admit"]> {
  const values = Array.isArray(authorization) ? authorization : authorization === undefined ? [] : [authorization];
  if (values.length === 0) {
    const reason = "This server requires a join token: set ISOBATCH_TOKEN or pass --token-file.";
    return { admitted: false, reason };
  }
  const [value] = values;
  const secret = values.length === 1 && typeof value === "string" && value.startsWith(SCHEME);
  return gate.admit(secret ? value.slice(SCHEME.length) : "");
}

/**
 * For a server: a call without a good token, or whose role may not make it, is answered with the reason, and its
 * handler is not called. A call that is open when its token is revoked or expires is cut off: nothing more is handled
 * or sent.
 */
export function admitCalls(gate: Gate): ServerInterceptor {
  const open = new Map<string, Set<(reason: string) => void>>();
  gate.onClosed((name, reason) => {
    for (const cut of open.get(name) ?? []) cut(reason);
  });

  return (method, call) => {
    if (method.path.startsWith(OPEN_SERVICE)) return new ServerInterceptingCall(call);
    let isCut = false;
    let forget = (): void => {};
    const end = (code: status, details: string): void => {
      isCut = true;
      call.sendStatus({ code, details, metadata: new Metadata() });
    };
    const enter = (name: string): void => {
      const cut = (reason: string): void => {
        forget();
        end(status.UNAUTHENTICATED, reason);
        // The status waits for what was written before it, which a client may never read.
        setTimeout(() => resetServerCall({ call }), FAREWELL_MS).unref();
      };
      const calls = open.get(name) ?? new Set();
      open.set(name, calls.add(cut));
      forget = () => {
        calls.delete(cut);
        if (calls.size === 0 && open.get(name) === calls) open.delete(name);
      };
    };

    return new ServerInterceptingCall(call, {
      start(next) {
        next({
          onReceiveMetadata(metadata, pass) {
            const admission = bearer(gate, metadata.get(AUTHORIZATION));
            if (!admission.admitted) return end(status.UNAUTHENTICATED, admission.reason);
            const { identity } = admission;
            if (!mayCall(identity.role, method.path)) {
              return end(status.PERMISSION_DENIED, notAllowed(identity, method.path));
            }
            enter(identity.name);
            metadata.remove(AUTHORIZATION);
            identities.set(metadata, identity);
            pass(metadata);
          },
          onReceiveMessage(message, pass) {
            if (!isCut) pass(message);
          },
          onReceiveHalfClose(pass) {
            if (!isCut) pass();
          },
          onCancel: () => forget(),
        });
      },
      sendMessage(message, pass) {
        if (!isCut) pass(message);
      },
      sendStatus(result, pass) {
        forget();
        if (!isCut) pass(result);
      },
    });
  };
}

function notAllowed({ name, role }: TokenIdentity, path: string): string {
  const method = path.slice(path.lastIndexOf("/") + 1);
  return `The token "${name}" has the role ${role}, which may not call ${method}.`;
}
