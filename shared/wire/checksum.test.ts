import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { checksumOf } from "../checksum/index.js";
import { makeAuthority } from "../credentials/authority.test.helper.js";
import { checksumBytes, checksumFor, verifyChecksum } from "./checksum.js";
import {
  type Connection,
  type ConnectOptions,
  type CreateServerOptions,
  connect,
  coordinatorService,
  createHandlers,
  createServer,
  createTrust,
  isEncrypted,
  readMessages,
} from "./index.js";
import { FETCH } from "./messages/messages.test.helper.js";

const PLAIN = { encrypted: false };
const TLS = { encrypted: true };
const PARTS = [Buffer.from("some"), Buffer.from("bytes")];

describe("checksumFor()", () => {
  it("is the checksum's 8 bytes, little-endian; empty over TLS", () => {
    const sum = checksumFor(PLAIN, PARTS);
    assert.deepEqual(sum, checksumBytes(checksumOf(PARTS)));
    assert.deepEqual(checksumBytes(0x0102030405060708n), Buffer.from([8, 7, 6, 5, 4, 3, 2, 1]));
    assert.deepEqual(checksumFor(TLS, PARTS), Buffer.alloc(0));
  });
});

describe("verifyChecksum()", () => {
  it("names what came damaged", () => {
    verifyChecksum(PLAIN, PARTS, checksumFor(PLAIN, PARTS), "Chunk 7");
    assert.throws(() => verifyChecksum(PLAIN, [Buffer.alloc(0)], Buffer.alloc(8), "Chunk 7"), {
      code: "damaged",
      message: "Chunk 7 came damaged: its checksum is ef46db3751d8e999, not 0000000000000000.",
    });
  });

  it("finds every flipped bit", () => {
    const bytes = Buffer.from(Array.from({ length: 45 }, (_, i) => i));
    const sum = checksumFor(PLAIN, [bytes]);
    for (let bit = 0; bit < bytes.length * 8; bit++) {
      bytes[bit >> 3] ^= 1 << (bit & 7);
      assert.throws(() => verifyChecksum(PLAIN, [bytes], sum, "Chunk 7"), { code: "damaged" });
      bytes[bit >> 3] ^= 1 << (bit & 7);
    }
  });

  it("refuses what came without one, unless TLS protects it", () => {
    for (const length of [0, 4, 9]) {
      assert.throws(() => verifyChecksum(PLAIN, PARTS, Buffer.alloc(length), "Chunk 7"), {
        code: "damaged",
        message:
          "Chunk 7 came without a checksum, which a connection without TLS needs: both ends must use TLS or neither, and " +
          "no proxy between them may end it.",
      });
      verifyChecksum(TLS, PARTS, Buffer.alloc(length), "Chunk 7");
    }
  });
});

describe("a connection", { timeout: 60_000 }, () => {
  /** Whether each side takes it for encrypted. */
  async function seen(test: TestContext, server: CreateServerOptions, client: Partial<ConnectOptions>) {
    const calls: boolean[] = [];
    const { serverStream } = createHandlers(assert.ifError);
    const served = createServer(server);
    test.after(() => served.shutdown(0));
    served.addService(coordinatorService, {
      FetchSamples: serverStream((call) => void calls.push(isEncrypted(call))),
    });
    const address = await served.listen({ host: "127.0.0.1", port: 0 });
    const connection: Connection = await connect(address, { waitMs: 10_000, ...client });
    test.after(() => connection.close());
    for await (const _ of readMessages(connection.coordinator.fetchSamples(FETCH), { what: "The samples" }));
    return [connection.encrypted, ...calls];
  }

  it("is encrypted on both sides with TLS, with and without a client's certificate, and on neither without", async (test) => {
    const { ca, issue } = await makeAuthority();
    const [{ key, cert }, own] = [await issue({ names: ["127.0.0.1"] }), await issue({ names: ["w"], client: true })];
    const trust = createTrust({ ca: ca.pem });
    const mutual = createTrust({ ca: ca.pem, ...own });
    assert.deepEqual(await seen(test, {}, {}), [false, false]);
    assert.deepEqual(await seen(test, { tls: { key, cert } }, { trust }), [true, true]);
    assert.deepEqual(await seen(test, { tls: { key, cert, clientCa: ca.pem } }, { trust: mutual }), [true, true]);
  });
});
