import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { loadSync } from "@grpc/proto-loader";
import fc from "fast-check";
import { IsobatchError } from "../errors.js";
import {
  type SerialisedMessage,
  type SumsChunkInParts,
  sampleBatchCodec,
  serialiseSumsChunk,
  weightsChunkCodec,
} from "./chunk-messages.js";
import type { PushMessage } from "./messages/index.js";
import { sampleBatch, sumsChunk, weightsChunk } from "./messages/messages.test.helper.js";
import { coordinatorService, shardService } from "./service.js";

/** gRPC's framing: five bytes, then the message. */
const FRAME_BYTES = 5;

// protobuf.js is what our bytes are compared with. It does not name the field of a `oneof`, which plain messages don't.
const reference = loadSync(fileURLToPath(new URL("../../proto/isobatch/v1/isobatch.proto", import.meta.url)), {
  longs: Number,
  enums: String,
  defaults: true,
}) as unknown as Record<string, { serialize(message: object): Buffer; deserialize(bytes: Buffer): unknown }>;

/** What gRPC does with a serialised message. */
function framed(message: SerialisedMessage): Buffer {
  assert.equal(message.length, message.byteLength);
  const buffer = Buffer.alloc(FRAME_BYTES + message.length, 0xee);
  message.copy(buffer, FRAME_BYTES);
  return buffer;
}

function bytesOf(message: SerialisedMessage): Buffer {
  return framed(message).subarray(FRAME_BYTES);
}

const uint32 = fc.integer({ min: 0, max: 0xffff_ffff });
const uint64 = fc.maxSafeNat();
/** In shared memory, where tensors are. */
const tensor = fc.uint8Array({ maxLength: 5_000 }).map((bytes) => {
  const shared = Buffer.from(new SharedArrayBuffer(bytes.length));
  shared.set(bytes);
  return shared;
});
/** A checksum of 8 bytes, or none. */
const checksum = fc.constantFrom(0, 8).chain((length) => fc.uint8Array({ minLength: length, maxLength: length }));
const sums = fc.record({ lo: uint32, hi: uint32, chunk: uint32, sums: tensor, checksum });
const weights = fc.record({ term: uint64, version: uint64, chunk: uint32, weights: tensor, checksum });
const samples = fc.record({ number: uint64, samples: uint32, inputs: tensor, labels: tensor, checksum });

const pushMessage = {
  serialise: shardService.PushSums.requestSerialize as (message: PushMessage) => SerialisedMessage,
  deserialise: shardService.PushSums.requestDeserialize as (bytes: Buffer) => PushMessage,
};

/** Each with an arbitrary message, our serialiser, our deserialiser, and protobuf.js's name for it. */
const CODECS = [
  { name: "PushMessage", messages: sums.map((chunk): object => ({ chunk })), codec: pushMessage },
  { name: "WeightsChunk", messages: weights as fc.Arbitrary<object>, codec: weightsChunkCodec },
  { name: "SampleBatch", messages: samples as fc.Arbitrary<object>, codec: sampleBatchCodec },
] as const;

for (const { name, messages, codec } of CODECS) {
  const { serialise, deserialise } = codec as {
    serialise(message: object): SerialisedMessage;
    deserialise(bytes: Buffer): object;
  };
  const { serialize, deserialize } = reference[`isobatch.v1.${name}`];

  describe(`${name}'s codec`, () => {
    it("writes what protobuf.js reads", () => {
      fc.assert(
        fc.property(messages, (message) => {
          assert.deepEqual(deserialize(bytesOf(serialise(message))), copied(message));
        }),
      );
    });

    it("reads what protobuf.js writes", () => {
      fc.assert(
        fc.property(messages, (message) => {
          assert.deepEqual(deserialise(serialize(message)), copied(message));
        }),
      );
    });

    it("fills exactly the length it announced", () => {
      fc.assert(
        fc.property(messages, (message) => {
          const serialised = serialise(message);
          const buffer = Buffer.alloc(serialised.length + 16, 0xee);
          serialised.copy(buffer, 8);
          assert.deepEqual([...buffer.subarray(0, 8), ...buffer.subarray(-8)], Array(16).fill(0xee));
          assert.deepEqual(deserialise(buffer.subarray(8, -8)), copied(message));
        }),
      );
    });

    it("hands out the bytes where they were received, without a copy", () => {
      fc.assert(
        fc.property(messages, (message) => {
          const received = bytesOf(serialise(message));
          for (const bytes of byteFields(deserialise(received))) {
            assert.equal(bytes.buffer, bytes.length === 0 ? bytes.buffer : received.buffer);
          }
        }),
      );
    });

    it("refuses a message whose last byte is missing", () => {
      fc.assert(
        fc.property(messages, (message) => {
          const whole = bytesOf(serialise(message));
          assert.throws(() => deserialise(whole.subarray(0, -1)), { code: "damaged" });
        }),
      );
    });

    it("reads no byte outside of a message that was cut off", () => {
      fc.assert(
        fc.property(messages, fc.nat(), (message, cut) => {
          const whole = bytesOf(serialise(message));
          const at = cut % whole.length;
          withinBounds(deserialise, whole.subarray(0, at));
        }),
      );
    });

    it("reads no byte outside of any message, however wrong", () => {
      fc.assert(
        fc.property(fc.uint8Array({ maxLength: 64 }), (bytes) => withinBounds(deserialise, Buffer.from(bytes))),
      );
      fc.assert(
        fc.property(
          messages,
          fc.array(fc.tuple(fc.nat({ max: 40 }), fc.nat({ max: 255 })), { maxLength: 4 }),
          (m, flips) => {
            const bytes = bytesOf(serialise(m));
            for (const [at, value] of flips) if (at < bytes.length) bytes[at] = value;
            withinBounds(deserialise, bytes);
          },
        ),
      );
    });
  });
}

describe("PushMessage's codec", () => {
  it("takes leases too, by way of protobuf.js", () => {
    const lease = {
      workerId: "w1",
      lease: 3,
      term: 1,
      step: 9,
      lo: 0,
      hi: 2,
      mac: Buffer.from([1]),
      losses: [0.5, 2],
      seal: Buffer.from([2]),
    };
    const bytes = bytesOf(pushMessage.serialise({ lease }));
    assert.deepEqual(pushMessage.deserialise(bytes), { lease });
  });

  it("sends sums that are stored in two places as one field, byte by byte as if they were in one", () => {
    fc.assert(
      fc.property(sums, tensor, (chunk, moreSums) => {
        const inParts: SumsChunkInParts = { ...chunk, moreSums };
        const whole = { ...chunk, sums: Buffer.concat([chunk.sums, moreSums]) };
        assert.deepEqual(bytesOf(serialiseSumsChunk(inParts)), bytesOf(pushMessage.serialise({ chunk: whole })));
      }),
    );
  });

  it("reads a chunk between fields that it does not know", () => {
    const chunk = { lo: 1, hi: 2, chunk: 3, sums: Buffer.from("abcd"), checksum: Buffer.from("12345678") };
    const unknown = Buffer.from([0x38, 0x05, 0x4d, 1, 2, 3, 4, 0x51, 1, 2, 3, 4, 5, 6, 7, 8]);
    const known = bytesOf(pushMessage.serialise({ chunk }));
    assert.deepEqual(pushMessage.deserialise(Buffer.concat([unknown, known, unknown])), { chunk });
  });
});

describe("tensors on the wire", () => {
  it("start at a multiple of 8 bytes in gRPC's buffer", () => {
    const marker = Buffer.from("the tensor starts here");
    fc.assert(
      fc.property(uint32, uint64, (number, large) => {
        const push = framed(
          pushMessage.serialise({ chunk: sumsChunk({ lo: number, hi: number, chunk: number, sums: marker }) }),
        );
        assert.equal(push.indexOf(marker) % 8, 0);
        const pull = framed(
          weightsChunkCodec.serialise(weightsChunk({ term: large, version: large, chunk: number, weights: marker })),
        );
        assert.equal(pull.indexOf(marker) % 8, 0);
      }),
    );
  });
});

describe("a number on the wire", () => {
  const version = (...bytes: number[]): unknown => weightsChunkCodec.deserialise(Buffer.from([0x10, ...bytes])).version;

  it("is read in any length that protobuf allows", () => {
    assert.equal(version(0x07), 7);
    assert.equal(version(0x87, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00), 7);
    assert.equal(version(0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0xff, 0x0f), Number.MAX_SAFE_INTEGER);
  });

  it("is refused from 2^53 on, when it is cut off, and when it is too long", () => {
    for (const bytes of [
      [0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x10],
      [0x87, 0x80],
      [0x87, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x80, 0x00],
    ]) {
      assert.throws(() => version(...bytes), { code: "damaged" });
    }
  });
});

describe("coordinatorService", () => {
  it("sends samples by the codec for large messages", () => {
    const { responseSerialize } = coordinatorService.FetchSamples;
    assert.equal(Buffer.isBuffer(responseSerialize(sampleBatch({ inputs: Buffer.alloc(4) }))), false);
  });
});

/** As it arrives: in ordinary memory. */
function copied(message: object): object {
  return Object.fromEntries(
    Object.entries(message).map(([key, value]) => [
      key,
      value instanceof Uint8Array ? Buffer.from(value) : typeof value === "object" ? copied(value) : value,
    ]),
  );
}

function byteFields(message: object): Uint8Array[] {
  return Object.values(message).flatMap((value) =>
    value instanceof Uint8Array ? [value] : typeof value === "object" && value !== null ? byteFields(value) : [],
  );
}

/** Deserialises `bytes` from the middle of a larger buffer; what comes back must lie within them. */
function withinBounds(deserialise: (bytes: Buffer) => object, bytes: Buffer): void {
  const around = Buffer.alloc(bytes.length + 200, 0x0a);
  bytes.copy(around, 100);
  const message = around.subarray(100, 100 + bytes.length);
  try {
    for (const field of byteFields(deserialise(message))) {
      if (field.length === 0) continue;
      assert.ok(field.byteOffset >= message.byteOffset);
      assert.ok(field.byteOffset + field.length <= message.byteOffset + message.length);
    }
  } catch (error) {
    if (error instanceof assert.AssertionError) throw error;
    assert.ok(error instanceof IsobatchError ? error.code === "damaged" : error instanceof Error);
  }
}
