import type { handleBidiStreamingCall } from "@grpc/grpc-js";
import {
  callerOf,
  type createHandlers,
  createWriter,
  type NearEvent,
  type NearRequest,
  readMessages,
} from "../../../shared/wire/index.js";
import { type ServeNearOptions, serveNear } from "./near-session.js";
import type { NearSharing } from "./near-sharing.js";

/** Events are small: if one cannot be sent for this long, the other side is gone. */
const STALL_MS = 20_000;

/** The handler of Near. A shard that shares no memory sends an empty invitation and ends the call. */
export function createNearHandler(
  sharing: NearSharing | undefined,
  options: Omit<ServeNearOptions, "near" | "weights" | "open">,
  { bidi }: Pick<ReturnType<typeof createHandlers>, "bidi">,
): handleBidiStreamingCall<NearRequest, NearEvent> {
  return bidi(async (call) => {
    const writer = createWriter<NearEvent>(call, { stallMs: STALL_MS, what: "The stream of events to a worker" });
    if (sharing === undefined) return writer.write({ invitation: { memory: "" } });
    await serveNear(
      { ...options, ...sharing },
      {
        token: callerOf(call)?.name ?? "",
        requests: readMessages(call, { what: "A worker of this machine" }),
        // A call that has ended is noticed where requests are read.
        send: (event) => void writer.write(event).catch(() => {}),
        ended: writer.ended,
      },
    );
  });
}
