import type { ServerResponse } from "node:http";
import type { LiveStatus } from "../view/live.js";
import type { Feed } from "./feed.js";

/**
 * Sends the feed to one page as server-sent events. Everything new since the last message goes out in one message, at
 * most twice per frame. Nothing is queued for a page that reads slowly: while its connection is full nothing is written,
 * and then it gets what it missed, or a snapshot if that was too much. So a page costs one message of memory, however
 * slow it is.
 */
export interface Stream {
  status(status: LiveStatus): void;
  end(): void;
}

/** Half a frame of a screen, so that each frame has something new. */
const PACE_MS = 8;
/** A page that reads nothing for this long is disconnected. */
const STALL_MS = 60_000;
/** How long the browser waits before it reconnects; sent at the start of the stream. */
const RETRY_MS = 1_000;

/** @param cursor the id of the last event that the page has received */
export function openStream(response: ServerResponse, feed: Feed, cursor: string | undefined): Stream {
  let sent = cursor !== undefined && feed.since(cursor) !== undefined ? cursor : undefined;
  let status: LiveStatus | undefined;
  let full = false;
  let timer: NodeJS.Timeout | undefined;
  let stall: NodeJS.Timeout | undefined;

  const write = (text: string): void => {
    full = !response.write(text);
    if (full) stall ??= setTimeout(() => response.destroy(), STALL_MS);
  };

  function pump(): void {
    if (full || response.destroyed) return;
    if (sent !== feed.cursor) {
      const news = sent === undefined ? undefined : feed.since(sent);
      sent = feed.cursor;
      if (news === undefined) write(eventOf("snapshot", sent, feed.snapshot()));
      else write(eventOf("updates", sent, news));
    }
    if (full || status === undefined) return;
    write(eventOf("status", sent, status));
    status = undefined;
  }

  function soon(): void {
    timer ??= setTimeout(() => {
      timer = undefined;
      pump();
    }, PACE_MS);
  }

  const unlisten = feed.onUpdate(soon);
  response.on("drain", () => {
    full = false;
    clearTimeout(stall);
    stall = undefined;
    pump();
  });
  response.once("close", () => {
    unlisten();
    clearTimeout(timer);
    clearTimeout(stall);
  });
  write(`retry: ${RETRY_MS}\n\n`);
  pump();

  return {
    status(now) {
      status = now;
      pump();
    },
    end: () => void response.end(),
  };
}

function eventOf(name: string, id: string, data: object): string {
  return `event: ${name}\nid: ${id}\ndata: ${JSON.stringify(data)}\n\n`;
}
