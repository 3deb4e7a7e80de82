import type { ServerResponse } from "node:http";
import type { DashboardSource } from "../source.js";
import type { Feed } from "./feed.js";
import { liveStatus } from "./status.js";
import { openStream, type Stream } from "./stream.js";

/** The open pages. The status is made once a second for all of them, and not at all without a page. */
export interface Streams {
  /** Whether another page may be opened. */
  readonly hasRoom: boolean;
  /** @param isAllowed asked every second: after a logout, or when the token is revoked, the stream ends */
  open(response: ServerResponse, cursor: string | undefined, isAllowed: () => boolean): void;
  /** Sends the last updates and status, and ends all streams. */
  close(): void;
}

const STATUS_MS = 1_000;
const STREAMS_MAX = 64;

export function createStreams(source: DashboardSource, feed: Feed): Streams {
  const streams = new Map<ServerResponse, { readonly stream: Stream; isAllowed(): boolean }>();
  let ticking: NodeJS.Timeout | undefined;

  function tick(): void {
    const status = liveStatus(source);
    for (const { stream, isAllowed } of streams.values()) {
      if (isAllowed()) stream.status(status);
      else stream.end();
    }
  }

  return {
    get hasRoom() {
      return streams.size < STREAMS_MAX;
    },
    open(response, cursor, isAllowed) {
      const stream = openStream(response, feed, cursor);
      streams.set(response, { stream, isAllowed });
      stream.status(liveStatus(source));
      ticking ??= setInterval(tick, STATUS_MS);
      response.once("close", () => {
        streams.delete(response);
        if (streams.size > 0) return;
        clearInterval(ticking);
        ticking = undefined;
      });
    },
    close() {
      if (streams.size > 0) tick();
      clearInterval(ticking);
      for (const { stream } of streams.values()) stream.end();
    },
  };
}
