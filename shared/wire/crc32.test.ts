import assert from "node:assert/strict";
import { describe, it } from "node:test";
import fc from "fast-check";
import { crc32, crc32Sliced, verifyCrc32 } from "./crc32.js";

// The check value that catalogues of CRCs give for CRC-32/ISO-HDLC.
const CHECK = { text: Buffer.from("123456789"), crc: 0xcbf43926 };

describe("crc32()", () => {
  it("gives the published check value, by either implementation", () => {
    assert.equal(crc32(CHECK.text), CHECK.crc);
    assert.equal(crc32Sliced(CHECK.text), CHECK.crc);
    assert.equal(crc32Sliced(new Uint8Array(0)), 0);
  });

  it("is the same by either implementation, at any length and alignment", () => {
    fc.assert(
      fc.property(fc.uint8Array({ maxLength: 300 }), fc.nat({ max: 20 }), (bytes, skip) => {
        assert.equal(crc32Sliced(bytes.subarray(skip)), crc32(bytes.subarray(skip)));
      }),
    );
  });

  it("goes on where the bytes before ended", () => {
    fc.assert(
      fc.property(fc.uint8Array(), fc.uint8Array(), (first, second) => {
        const whole = crc32(Buffer.concat([first, second]));
        assert.equal(crc32(second, crc32(first)), whole);
        assert.equal(crc32Sliced(second, crc32Sliced(first)), whole);
      }),
    );
  });

  it("reads shared memory", () => {
    const shared = new Uint8Array(new SharedArrayBuffer(CHECK.text.length));
    shared.set(CHECK.text);
    assert.equal(crc32(shared), CHECK.crc);
    assert.equal(crc32Sliced(shared), CHECK.crc);
  });
});

describe("verifyCrc32()", () => {
  it("names what came damaged", () => {
    verifyCrc32(CHECK.text, CHECK.crc, "chunk 7 of w2");
    assert.throws(() => verifyCrc32(CHECK.text, (CHECK.crc ^ 1) >>> 0, "chunk 7 of w2"), {
      code: "damaged",
      message: "chunk 7 of w2 came damaged: its CRC-32 is cbf43926, not cbf43927.",
    });
  });
});
