import type { LiveStatus, Snapshot, Update } from "../../dashboard/view/live.js";
import type { ConnectionState } from "../../dashboard/view/summary.js";

/**
 * The stream from the server. The browser's EventSource reconnects by itself and sends the id of its last event; if it
 * gives up, or nothing has arrived for too long, a new one is created. If the login has ended, the login page is opened.
 */
export interface Listener {
  connection(state: ConnectionState): void;
  snapshot(snapshot: Snapshot): void;
  updates(updates: readonly Update[]): void;
  status(status: LiveStatus): void;
}

/** The server sends its status every second: a stream that is silent for this long is broken. */
const SILENCE_MS = 5_000;
const AGAIN_MS = [1_000, 2_000, 5_000];

export function follow(listener: Listener): void {
  let source: EventSource | undefined;
  let lastMs = performance.now();
  let failures = 0;

  function heard<Data>(handle: (data: Data) => void): (event: MessageEvent<string>) => void {
    return (event) => {
      lastMs = performance.now();
      failures = 0;
      handle(JSON.parse(event.data) as Data);
      listener.connection("live");
    };
  }

  function open(): void {
    source?.close();
    lastMs = performance.now();
    source = new EventSource("/events");
    source.addEventListener("snapshot", heard<Snapshot>(listener.snapshot));
    source.addEventListener("updates", heard<readonly Update[]>(listener.updates));
    source.addEventListener("status", heard<LiveStatus>(listener.status));
    source.addEventListener("error", () => {
      listener.connection("lost");
      if (source?.readyState === EventSource.CLOSED) void again();
    });
  }

  async function again(): Promise<void> {
    source?.close();
    source = undefined;
    const waitMs = AGAIN_MS[Math.min(failures++, AGAIN_MS.length - 1)];
    await new Promise((resolve) => setTimeout(resolve, waitMs));
    if (await isLoginOver()) location.assign("/login");
    else open();
  }

  async function isLoginOver(): Promise<boolean> {
    try {
      return (await fetch("/api/session")).status === 401;
    } catch {
      return false;
    }
  }

  setInterval(() => {
    if (source === undefined || performance.now() - lastMs < SILENCE_MS) return;
    listener.connection("lost");
    void again();
  }, 1_000);
  open();
}
