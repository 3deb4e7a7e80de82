/**
 * Detects whether the other end of a connection is still there.
 *
 * Both ends send a PING periodically, regardless of other traffic, and give up a connection once nothing at all has
 * arrived for `silenceMs`: a connection that moves bytes is alive. gRPC's keepalive, which this replaces, requires the
 * answer to one PING within a time-out instead, and so gives up healthy connections:
 *
 * - the answer comes after everything that the other side has queued, up to WINDOW_BYTES of weights and the kernel's
 * buffers, so that a large model never gets over a link of a few megabits per second;
 * - if a process itself was suspended (no processor, SIGSTOP, a long computation), its timer runs out before it reads
 * an answer that arrived long ago.
 *
 * Therefore silence is counted in ticks of a timer and not by the clock: between two ticks everything that has arrived
 * is read.
 *
 * The socket is destroyed, and its HTTP/2 session ends at once with it. This is also done if something else has
 * destroyed the session: such a session closes only when its pending write ends, which on a broken link may take TCP a
 * quarter of an hour.
 */
import type { Http2Session } from "node:http2";
import type { Socket } from "node:net";
import { SILENCE_MS } from "./channel.js";

/** The ticks of one silence. A PING is sent on every 14th, so two remain unanswered before a connection is given up. */
const TICKS = 40;
const PING_TICKS = 14;
/** How long a destroyed session may take to close by itself. */
const CLOSE_MS = 1_000;

/**
 * Watches a connection until its socket is closed.
 *
 * @param sessionOf the HTTP/2 session on it, once there is one
 */
export function watchConnection(
  socket: Socket,
  sessionOf: () => Http2Session | undefined,
  silenceMs: number = SILENCE_MS,
): void {
  const tickMs = silenceMs / TICKS;
  let bytesRead = socket.bytesRead;
  let ticks = 0;
  let silentTicks = 0;
  let destroyedTicks = 0;

  const tick = (): void => {
    const session = sessionOf();
    if (session?.destroyed) {
      destroyedTicks += 1;
      if (destroyedTicks * tickMs > CLOSE_MS) socket.destroy();
      return;
    }
    ticks += 1;
    silentTicks = socket.bytesRead === bytesRead ? silentTicks + 1 : 0;
    bytesRead = socket.bytesRead;
    // The silence may be older than its first tick.
    if (silentTicks >= TICKS - 1 || (silentTicks > 1 && isReset(socket))) socket.destroy();
    else if (session !== undefined && ticks % PING_TICKS === 0) ping(session);
  };
  const ticking = setInterval(tick, tickMs).unref();
  socket.once("close", () => clearInterval(ticking));
}

/**
 * Whether the kernel no longer has the connection. HTTP/2 does not read while it writes, and over TLS Node.js (seen in
 * 20.20) may then never notice a reset that arrives meanwhile.
 */
function isReset(socket: Socket): boolean {
  const { _handle: handle } = socket as unknown as { _handle?: { getpeername?(into: object): number } | null };
  return handle?.getpeername !== undefined && handle.getpeername({}) !== 0;
}

function ping(session: Http2Session): void {
  // The bytes received show whether it is answered. Node.js allows ten unanswered PINGs, which is enough.
  if (!session.closed) session.ping(() => {});
}
