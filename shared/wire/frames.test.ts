import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { makeAuthority } from "../credentials/authority.test.helper.js";
import { RETRY_BUFFER_BYTES } from "./channel.js";
import { pushMessageCodec, type SerialisedMessage, weightsChunkCodec } from "./chunk-messages.js";
import {
  type CreateServerOptions,
  checksumFor,
  connect,
  createHandlers,
  createServer,
  createTrust,
  createWriter,
  type Frame,
  frameOfSums,
  frameOfWeights,
  giveBackMemory,
  isEncrypted,
  type PushMessage,
  type PushResult,
  readMessages,
  shardService,
  type Trust,
  verifyChecksum,
  type WeightsChunk,
} from "./index.js";
import { TAKEN, WATCH } from "./messages/messages.test.helper.js";

const SECURITY = [{ encrypted: false }, { encrypted: true }];
const LENGTH = 200_000;
const FRAMES = 40;

/** Without a codec for messages that are not chunks. */
const pushCodec = pushMessageCodec({ serialise: () => assert.fail(), deserialise: () => assert.fail() });

function bytesOf(message: SerialisedMessage): Buffer {
  const bytes = Buffer.alloc(5 + message.length);
  bytes.writeUInt32BE(message.length, 1);
  message.copy(bytes, 5);
  return bytes;
}

const filled = (length: number, value: number): Buffer => Buffer.from(new SharedArrayBuffer(length)).fill(value);

describe("frameOfSums() and frameOfWeights()", () => {
  for (const connection of SECURITY) {
    it(`are the messages' own bytes and checksum, ${connection.encrypted ? "with" : "without"} TLS`, () => {
      for (const length of [4, RETRY_BUFFER_BYTES, LENGTH]) {
        const [sums, moreSums] = [filled(length, 1), filled(length, 2)];
        for (const parts of [[sums], [sums, moreSums]]) {
          const chunk = { lo: 1, hi: 300, chunk: 70_000, sums, ...(parts.length > 1 && { moreSums }) };
          const checksum = checksumFor(connection, parts);
          const frame = frameOfSums(chunk, connection);
          assert.deepEqual(frame.frame, bytesOf(pushCodec.serialise({ chunk: { ...chunk, checksum } })));
          assert.deepEqual(bytesOf(frame), frame.frame);
          frame.release();
        }
        const chunk = { term: 3, version: 2 ** 40, chunk: 9, weights: sums };
        const frame = frameOfWeights(chunk, connection);
        const checksum = checksumFor(connection, [sums]);
        assert.deepEqual(frame.frame, bytesOf(weightsChunkCodec.serialise({ ...chunk, checksum })));
        frame.release();
      }
    });
  }

  it("take memory that nobody else has, and that was used before", () => {
    const make = (value: number): Frame =>
      frameOfWeights({ term: 1, version: 1, chunk: 1, weights: filled(LENGTH, value) }, { encrypted: true });
    const [first, second] = [make(1), make(2)];
    assert.notEqual(first.frame.byteOffset, second.frame.byteOffset);
    assert.equal(first.frame.at(-1), 1);
    first.release();
    first.release();
    const [third, fourth] = [make(3), make(4)];
    assert.equal(third.frame.byteOffset, first.frame.byteOffset);
    assert.deepEqual(
      [second, third, fourth].map(({ frame }) => frame.at(-1)),
      [2, 3, 4],
    );
    for (const frame of [second, third, fourth]) frame.release();
  });

  it("still come, in separate memory, if 32 MiB of them have not been released", () => {
    const weights = filled(512 * 1024, 5);
    const make = (): Frame => frameOfWeights({ term: 1, version: 1, chunk: 1, weights }, { encrypted: false });
    const frames = Array.from({ length: 80 }, make);
    const places = new Set(frames.map(({ frame }) => `${frame.buffer.byteLength} ${frame.byteOffset}`));
    assert.ok(places.size > 60);
    for (const { frame } of frames) assert.deepEqual(frame, frames[0].frame);
    for (const frame of frames) frame.release();
  });
});

describe("a frame's memory", { timeout: 60_000 }, () => {
  /** A service that counts the chunks that come whole and in order, and sends weights that change at once. */
  async function serve(test: TestContext, server: CreateServerOptions, trust?: Trust) {
    const { clientStream, serverStream } = createHandlers(assert.ifError);
    const served = createServer(server);
    test.after(() => served.shutdown(0));
    served.addService(shardService, {
      PushSums: clientStream<PushMessage, PushResult>(async (call) => {
        let accepted = 0;
        for await (const { chunk } of readMessages(call, { what: "A push" })) {
          verifyChecksum({ encrypted: isEncrypted(call) }, [chunk!.sums], chunk!.checksum, "A chunk");
          if (chunk!.chunk === accepted + 1 && chunk!.sums.every((byte) => byte === chunk!.chunk)) accepted++;
          giveBackMemory(chunk!.sums);
        }
        return { ...TAKEN, accepted };
      }),
      WatchWeights: serverStream<object, WeightsChunk>(async (call) => {
        const writer = createWriter<WeightsChunk | Frame>(call, { stallMs: 5_000, what: "The weights" });
        const weights = filled(LENGTH, 0);
        for (let chunk = 1; chunk <= FRAMES; chunk++) {
          weights.fill(chunk);
          const frame = frameOfWeights({ term: 1, version: 1, chunk, weights }, { encrypted: isEncrypted(call) });
          weights.fill(0);
          await writer.write(frame).finally(frame.release);
        }
      }),
    });
    const address = await served.listen({ host: "127.0.0.1", port: 0 });
    const connection = await connect(address, { waitMs: 10_000, trust });
    test.after(() => connection.close());
    return connection;
  }

  for (const secured of [false, true]) {
    it(`may change as soon as its write has resolved, ${secured ? "with" : "without"} TLS`, async (test) => {
      const { ca, issue } = await makeAuthority();
      const tls = secured ? await issue({ names: ["127.0.0.1"] }) : undefined;
      const connection = await serve(test, { tls }, tls && createTrust({ ca: ca.pem }));
      const sums = filled(LENGTH, 0);
      let settle: (result: unknown) => void;
      const answer = new Promise((resolve) => {
        settle = resolve;
      });
      const call = connection.shard.pushSums((error, result) => settle(error ?? result));
      const writer = createWriter<PushMessage | Frame>(call, { stallMs: 5_000, what: "The push" });
      for (let chunk = 1; chunk <= FRAMES; chunk++) {
        const frame = frameOfSums({ lo: 0, hi: 1, chunk, sums: sums.fill(chunk) }, connection);
        await writer.write(frame).finally(frame.release);
      }
      writer.end();
      assert.deepEqual(await answer, { accepted: FRAMES, dropped: 0 });
      let whole = 0;
      for await (const chunk of readMessages(connection.shard.watchWeights(WATCH), { what: "The weights" })) {
        verifyChecksum(connection, [chunk.weights], chunk.checksum, "A chunk");
        if (chunk.chunk === whole + 1 && chunk.weights.every((byte) => byte === chunk.chunk)) whole++;
        giveBackMemory(chunk.weights);
      }
      assert.equal(whole, FRAMES);
    });
  }
});
