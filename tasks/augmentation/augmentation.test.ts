import assert from "node:assert/strict";
import { readFileSync } from "node:fs";
import { describe, it } from "node:test";
import { createRandom } from "../../shared/random.js";
import type { InputSpec } from "../datasets/index.js";
import { autoAugment, operationOf, POLICY } from "./auto-augment.js";
import { cropAndFlip } from "./crop-flip.js";
import { augmentBatch } from "./index.js";

/** Made by bench/peers/augmentation.py, with torchvision and Pillow. */
interface Expected {
  readonly height: number;
  readonly width: number;
  readonly image: string;
  readonly policy: unknown;
  readonly cases: readonly { name: Parameters<typeof operationOf>[0]; level: number; sign: number; bytes: string }[];
}
const expected = JSON.parse(readFileSync(new URL("./augmentation.test.json", import.meta.url), "utf8")) as Expected;
const { height, width } = expected;
const image = { height, width, channels: 3, bytes: new Uint8Array(Buffer.from(expected.image, "hex")) };

describe("AutoAugment's operations", () => {
  for (const { name, level, sign, bytes } of expected.cases) {
    it(`${name} of level ${level}, ${sign > 0 ? "forwards" : "backwards"}, is Pillow's to the byte`, () => {
      assert.equal(Buffer.from(operationOf(name, level, sign)(image)).toString("hex"), bytes);
    });
  }

  it("are drawn by torchvision's policy", () => {
    assert.deepEqual(POLICY, expected.policy);
  });

  it("leave the image unchanged where nothing is drawn, and only there", () => {
    const changed = Array.from({ length: 400 }, (_, seed) => autoAugment(image, createRandom(seed)) !== image.bytes);
    const share = changed.filter(Boolean).length / changed.length;
    // By the policy's probabilities 85 % of the images are changed.
    const untouched = POLICY.map(([[, p], [, q]]) => (1 - p) * (1 - q)).reduce((sum, p) => sum + p, 0) / POLICY.length;
    assert.ok(Math.abs(share - (1 - untouched)) < 0.06, `${share}, not ${1 - untouched}`);
  });
});

describe("cropAndFlip()", () => {
  it("shows the image shifted by at most four pixels, mirrored or not, with black around it", () => {
    const seen = new Set<string>();
    for (let seed = 0; seed < 600; seed++) {
      const result = cropAndFlip(image, createRandom(seed));
      const places: string[] = [];
      for (const mirrored of [false, true]) {
        for (let down = -4; down <= 4; down++) {
          for (let right = -4; right <= 4; right++) {
            if (isShifted(result, down, right, mirrored)) places.push(`${down} ${right} ${mirrored}`);
          }
        }
      }
      assert.equal(places.length, 1, `seed ${seed} is not a shift`);
      seen.add(places[0]);
    }
    assert.ok(seen.size > 150, `only ${seen.size} of the 162 ways were drawn`);
  });

  function isShifted(result: Uint8Array, down: number, right: number, mirrored: boolean): boolean {
    for (let y = 0; y < height; y++) {
      for (let x = 0; x < width; x++) {
        const column = (mirrored ? width - 1 - x : x) + right;
        const inside = y + down >= 0 && y + down < height && column >= 0 && column < width;
        for (let c = 0; c < 3; c++) {
          const wanted = inside ? image.bytes[((y + down) * width + column) * 3 + c] : 0;
          if (result[(y * width + x) * 3 + c] !== wanted) return false;
        }
      }
    }
    return true;
  }
});

describe("augmentBatch()", () => {
  const input: InputSpec = { shape: [height, width, 3], type: "uint8", scale: 1, augment: "autoaugment" };
  const batch = new Uint8Array([...image.bytes, ...image.bytes, ...image.bytes]);
  const augmented = (seed: number, microBatch: number): string =>
    Buffer.from(augmentBatch(input, batch, 3, { seed, microBatch })).toString("hex");

  it("does the same to a micro-batch whenever it is computed, and something else to every image of it", () => {
    const bytes = augmented(5, 17);
    assert.equal(augmented(5, 17), bytes);
    const third = bytes.length / 3;
    assert.equal(new Set([0, 1, 2].map((i) => bytes.slice(i * third, (i + 1) * third))).size, 3);
  });

  it("does something else to another micro-batch, and in another run", () => {
    assert.notEqual(augmented(5, 18), augmented(5, 17));
    assert.notEqual(augmented(6, 17), augmented(5, 17));
  });
});
