import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import fc from "fast-check";
import protobuf from "protobufjs";
import { coordinatorService, shardService } from "../service.js";

/**
 * Arbitrary messages of every method, made from protobuf.js's own reading of the .proto. Each goes through our codecs,
 * and protobuf.js reads the result: no field is lost on either side, including fields that are added later.
 */

const root = protobuf.loadSync(fileURLToPath(new URL("../../../proto/isobatch/v1/isobatch.proto", import.meta.url)));
const METHODS = [
  ["Coordinator", coordinatorService],
  ["Shard", shardService],
] as const;
/** Keeps a check short. */
const ITEMS_MAX = 3;
/** Fields that may be absent, in addition to those of a `oneof`. */
const OPTIONAL = [
  "Restored.noise",
  "WriteCheckpoint.noise",
  "JoinRequest.numerics",
  "JoinResponse.ended",
  "NearPush.lease",
];

interface Codec {
  serialise(message: unknown): Buffer | { readonly length: number; copy(target: Uint8Array, at: number): void };
  deserialise(bytes: Buffer): Record<string, unknown>;
}

const numbers: Record<string, fc.Arbitrary<unknown>> = {
  uint32: fc.integer({ min: 0, max: 2 ** 32 - 1 }),
  int32: fc.integer({ min: -(2 ** 31), max: 2 ** 31 - 1 }),
  uint64: fc.maxSafeNat(),
  int64: fc.maxSafeInteger(),
  double: fc.double({ noNaN: true }).map((x) => x + 0),
  float: fc.float({ noNaN: true }).map((x) => x + 0),
  bool: fc.boolean(),
  string: fc.string({ maxLength: 8 }),
  bytes: fc.uint8Array({ maxLength: 8 }).map((bytes) => Buffer.from(bytes)),
};

/** Messages with every required field, and one or no field of each `oneof`. */
function arbitraryOf(type: protobuf.Type): fc.Arbitrary<Record<string, unknown>> {
  const valuesOf = (field: protobuf.Field): fc.Arbitrary<unknown> => {
    field.resolve();
    const { resolvedType } = field;
    const one = resolvedType instanceof protobuf.Type ? arbitraryOf(resolvedType) : numbers[field.type];
    return field.repeated ? fc.array(one, { maxLength: ITEMS_MAX }) : one;
  };
  const plain = type.fieldsArray.filter((field) => !field.partOf);
  const requiredKeys = plain.map(({ name }) => name).filter((name) => !OPTIONAL.includes(`${type.name}.${name}`));
  const fields = fc.record(Object.fromEntries(plain.map((field) => [field.name, valuesOf(field)])), { requiredKeys });
  const choices = type.oneofsArray.map(({ fieldsArray }) =>
    fc.oneof(fc.constant({}), ...fieldsArray.map((field) => fc.record({ [field.name]: valuesOf(field) }))),
  );
  return fc.tuple(fields, ...choices).map((parts) => Object.assign({}, ...parts) as Record<string, unknown>);
}

function codecs(service: object, method: string) {
  const found = (service as Record<string, Record<string, unknown>>)[method];
  return {
    request: { serialise: found.requestSerialize, deserialise: found.requestDeserialize } as Codec,
    response: { serialise: found.responseSerialize, deserialise: found.responseDeserialize } as Codec,
  };
}

function bytesOf(serialised: ReturnType<Codec["serialise"]>): Buffer {
  if (Buffer.isBuffer(serialised)) return serialised;
  const bytes = Buffer.alloc(serialised.length);
  serialised.copy(bytes, 0);
  return bytes;
}

/** The message as protobuf.js reads it, with every field present. */
function read(type: protobuf.Type, bytes: Uint8Array): object {
  return type.toObject(type.decode(bytes), { longs: Number, defaults: true, oneofs: true, bytes: Buffer });
}

/** Whether a message has one of protobuf.js's nulls, at any depth, which a plain message must not have. */
function hasNull(value: unknown): boolean {
  if (value === null) return true;
  if (typeof value !== "object" || value instanceof Uint8Array) return false;
  return Object.values(value).some(hasNull);
}

for (const [name, service] of METHODS) {
  for (const { name: method, requestType, responseType } of root.lookupService(name).methodsArray) {
    for (const [side, typeName] of [["request", requestType] as const, ["response", responseType] as const]) {
      const type = root.lookupType(`isobatch.v1.${typeName}`);
      const { serialise, deserialise } = codecs(service, method)[side];

      it(`${method}'s ${side}, ${typeName}, comes out of both codecs as it went in`, () => {
        fc.assert(
          fc.property(arbitraryOf(type), (message) => {
            const bytes = Buffer.from(type.encode(type.fromObject(message)).finish());
            const received = deserialise(bytes);
            assert.ok(!hasNull(received), "a plain message has no null");
            for (const { name: oneof } of type.oneofsArray) assert.ok(!(oneof in received), `it has ${oneof}`);
            assert.deepEqual(read(type, bytesOf(serialise(received))), read(type, bytes));
          }),
          { numRuns: 50 },
        );
      });
    }
  }
}

describe("a message that is one of several", () => {
  it("is one of them even if a careless sender set two", () => {
    const type = root.lookupType("isobatch.v1.ControlRequest");
    const drain = type.encode(type.fromObject({ drain: { workerId: "w" } })).finish();
    const stop = type.encode(type.fromObject({ stop: {} })).finish();
    const both = Buffer.concat([drain, stop]);
    assert.equal(Object.keys(coordinatorService.Control.requestDeserialize(both)).length, 1);
  });

  it("is empty if its sender knows an alternative that we don't", () => {
    // Field 100, of no bytes.
    const bytes = Buffer.from([0xa2, 0x06, 0x00]);
    assert.deepEqual(coordinatorService.Work.requestDeserialize(bytes), {});
  });
});
