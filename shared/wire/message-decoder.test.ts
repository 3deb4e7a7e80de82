import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import fc from "fast-check";
import { createMessageDecoder, type MessageDecoder } from "./message-decoder.js";

/** grpc-js's own, which ours stands in for. */
const { StreamDecoder } = createRequire(import.meta.url)("@grpc/grpc-js/build/src/stream-decoder.js") as {
  StreamDecoder: new (bytesMax: number) => MessageDecoder;
};

const BYTES_MAX = 300;

function framed(message: Uint8Array): Buffer {
  const head = Buffer.alloc(5);
  head.writeUInt32BE(message.length, 1);
  return Buffer.concat([head, message]);
}

/** What the decoder makes of the bytes in these pieces: the messages, or what it throws. */
function decoded(decoder: MessageDecoder, pieces: readonly Buffer[]): unknown[] {
  const messages: unknown[] = [];
  for (const piece of pieces) {
    try {
      messages.push(...decoder.write(piece).map((message) => message.toString("hex")));
    } catch (error) {
      return [...messages, (error as Error).message];
    }
  }
  return messages;
}

function cut(bytes: Buffer, at: readonly number[]): Buffer[] {
  const places = [0, ...at.map((place) => place % (bytes.length + 1)), bytes.length].sort((a, b) => a - b);
  return places.slice(1).map((end, i) => bytes.subarray(places[i], end));
}

describe("createMessageDecoder()", () => {
  it("makes of any stream, however it is cut, what grpc-js's decoder makes of it", () => {
    fc.assert(
      fc.property(
        fc.array(fc.uint8Array({ maxLength: BYTES_MAX + 3 }), { maxLength: 6 }),
        fc.array(fc.nat(), { maxLength: 30 }),
        (messages, at) => {
          const pieces = cut(Buffer.concat(messages.map(framed)), at);
          const expected = decoded(new StreamDecoder(BYTES_MAX), pieces);
          assert.deepEqual(decoded(createMessageDecoder(BYTES_MAX), pieces), expected);
        },
      ),
    );
  });

  it("takes messages of any length where none is set", () => {
    const message = Buffer.alloc(200_000, 7);
    assert.deepEqual(createMessageDecoder(-1).write(framed(message)), [framed(message)]);
  });

  it("refuses a length over the limit before it takes memory for it", () => {
    const absurd = Buffer.from([0, 255, 255, 255, 255]);
    assert.throws(() => createMessageDecoder(BYTES_MAX).write(absurd), {
      message: "Received message larger than max (4294967295 vs 300)",
    });
  });
});
