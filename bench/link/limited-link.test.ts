import assert from "node:assert/strict";
import { once } from "node:events";
import net, { type AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { type LimitedLink, type LinkRate, openLimitedLink } from "./limited-link.js";

/** A link to a server that echoes what it receives. */
async function openEcho(test: TestContext, rate: LinkRate): Promise<LimitedLink> {
  const server = net.createServer((socket) => socket.on("error", () => {}).pipe(socket));
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  test.after(() => server.close());
  const { port } = server.address() as AddressInfo;
  const link = await openLimitedLink({ host: "127.0.0.1", port }, { host: "127.0.0.1", port: 0 }, rate);
  test.after(() => link.close());
  return link;
}

async function connect(test: TestContext, { address }: LimitedLink): Promise<net.Socket> {
  const socket = net.connect(address);
  test.after(() => socket.destroy());
  await once(socket, "connect");
  return socket;
}

async function echoed(socket: net.Socket, bytes: Buffer): Promise<{ readonly came: Buffer; readonly ms: number }> {
  const startMs = performance.now();
  const pieces: Buffer[] = [];
  let length = 0;
  socket.write(bytes);
  while (length < bytes.length) {
    const [piece] = await once(socket, "data");
    pieces.push(piece);
    length += piece.length;
  }
  return { came: Buffer.concat(pieces), ms: performance.now() - startMs };
}

describe("openLimitedLink()", { timeout: 30_000 }, () => {
  it("delivers every byte, in order, and none early", async (test) => {
    const bytes = Buffer.from(Uint8Array.from({ length: 1_000_000 }, (_, i) => i % 251));
    const socket = await connect(test, await openEcho(test, { bitsPerSecond: 100e6, roundTripMs: 20 }));
    const { came, ms } = await echoed(socket, bytes);
    assert.deepEqual(came, bytes);
    // 80 ms for the bytes, with which the echo overlaps but for the last byte, and one round trip.
    assert.ok(ms >= 99, `it took ${ms} ms`);
  });

  it("lets all connections of a direction share one line", async (test) => {
    const link = await openEcho(test, { bitsPerSecond: 100e6, roundTripMs: 0 });
    const sockets = await Promise.all([connect(test, link), connect(test, link)]);
    const startMs = performance.now();
    await Promise.all(sockets.map((socket) => echoed(socket, Buffer.alloc(500_000))));
    assert.ok(performance.now() - startMs >= 79, "both together are no faster than one");
  });
});
