/**
 * A link of a given rate and delay: a TCP proxy whose connections share one line in each direction, as machines share a
 * network card. A line sends byte by byte at its rate, and every byte arrives half a round trip after it was sent. Bytes that
 * come in faster wait for at most QUEUE_MS; beyond that the sender is not read, so that TCP slows it down.
 */
import net, { type AddressInfo } from "node:net";
import type { Address } from "../../shared/wire/index.js";

export interface LinkRate {
  readonly bitsPerSecond: number;
  readonly roundTripMs: number;
}

export interface LimitedLink {
  readonly address: Address;
  close(): void;
}

const QUEUE_MS = 20;
/** The resolution of timers. */
const TIMER_MS = 1;

export async function openLimitedLink(target: Address, listen: Address, rate: LinkRate): Promise<LimitedLink> {
  const [up, down] = [createLine(rate), createLine(rate)];
  const sockets = new Set<net.Socket>();
  const server = net.createServer({ allowHalfOpen: true, noDelay: true }, (client) => {
    const upstream = net.connect({ ...target, allowHalfOpen: true, noDelay: true });
    for (const socket of [client, upstream]) {
      sockets.add(socket);
      socket.on("error", () => {});
      socket.once("close", () => {
        sockets.delete(socket);
        client.destroy();
        upstream.destroy();
      });
    }
    up.carry(client, upstream);
    down.carry(upstream, client);
  });
  await new Promise<void>((resolve, reject) => {
    server.once("error", reject);
    server.listen(listen.port, listen.host, resolve);
  });
  const { address: host, port } = server.address() as AddressInfo;
  return {
    address: { host, port },
    close() {
      for (const socket of sockets) socket.destroy();
      server.close();
    },
  };
}

interface Parcel {
  readonly dueMs: number;
  deliver(): void;
}

function createLine({ bitsPerSecond, roundTripMs }: LinkRate) {
  const bytesPerMs = bitsPerSecond / 8_000;
  const delayMs = roundTripMs / 2;
  /** When the line will have sent all bytes that it was given. */
  let freeAtMs = 0;
  const underWay: Parcel[] = [];
  let pumping = false;

  const pump = (): void => {
    pumping = false;
    let delivered = 0;
    for (const { dueMs, deliver } of underWay) {
      if (dueMs > performance.now()) break;
      deliver();
      delivered += 1;
    }
    underWay.splice(0, delivered);
    schedule();
  };
  const schedule = (): void => {
    if (pumping || underWay.length === 0) return;
    pumping = true;
    const waitMs = underWay[0].dueMs - performance.now();
    if (waitMs > TIMER_MS) setTimeout(pump, waitMs - TIMER_MS);
    else setImmediate(pump);
  };
  const send = (bytes: number, deliver: () => void): void => {
    freeAtMs = Math.max(freeAtMs, performance.now()) + bytes / bytesPerMs;
    underWay.push({ dueMs: freeAtMs + delayMs, deliver });
    schedule();
  };

  return {
    carry(from: net.Socket, to: net.Socket): void {
      /** Why the sender is not being read. */
      const held = new Set<"the line" | "the receiver">();
      const hold = (why: "the line" | "the receiver"): void => {
        held.add(why);
        from.pause();
      };
      const letGo = (why: "the line" | "the receiver"): void => {
        held.delete(why);
        if (held.size === 0) from.resume();
      };
      to.on("drain", () => letGo("the receiver"));
      from.on("data", (data: Buffer) => {
        send(data.length, () => {
          if (!to.destroyed && !to.write(data)) hold("the receiver");
        });
        const aheadMs = freeAtMs - performance.now();
        if (aheadMs <= QUEUE_MS || held.has("the line")) return;
        hold("the line");
        setTimeout(() => letGo("the line"), aheadMs - QUEUE_MS / 2);
      });
      from.on("end", () => send(0, () => to.end()));
    },
  };
}
