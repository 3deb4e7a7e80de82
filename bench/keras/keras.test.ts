import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type BackendName, openBackend, probeBackend } from "../../backends/index.js";
import { settings } from "../../backends/settings.test.helper.js";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { layerTable } from "../../tasks/index.js";
import { type KerasCase, readReference } from "./cases.js";
import { compare, isRight } from "./compare.js";
import { tableOf, wrongIn } from "./scenario.js";

const { cases, batch } = readReference();
const native = await probeBackend("tfjs-node", settings);

/** Cases of `npm run bench -- gradients-against-keras`: every n-th, and on one backend all that have masks. */
const suites: { backend: BackendName; every: number; masks?: boolean; skip?: string | false }[] = [
  { backend: "wasm", every: ALL ? 1 : 8, masks: true },
  { backend: "cpu", every: ALL ? 1 : 26 },
  { backend: "tfjs-node", every: ALL ? 1 : 34, skip: !native.available && native.reason },
];

/** Settings that are refused by name, with the reason. */
const REFUSED = [
  // Over volumes, strides longer than the window that they move, with padding.
  /^(Conv3DTranspose (29|30|31|32|35|36)|Conv3D 3[56]|MaxPooling3D 2[78])$/,
  /^ELU 2$/, // a custom alpha
  /^Flatten [12]$/, // nothing to flatten
];

const byLayer = new Map<string, KerasCase[]>();
for (const example of cases) byLayer.set(example.layer, [...(byLayer.get(example.layer) ?? []), example]);

describe("Keras' numbers", () => {
  it("are there for every layer that is trained", () => {
    const trained = Object.keys(layerTable).filter((name) => layerTable[name].trained);
    assert.deepEqual([...byLayer.keys()].sort(), trained.sort());
  });

  for (const { backend, every, masks, skip } of suites) {
    describe(`on ${backend}`, { skip }, () => {
      let n = 0;
      for (const [layer, examples] of byLayer) {
        const chosen = examples.filter(({ name }) => n++ % every === 0 || (masks && name.startsWith("masked")));
        if (chosen.length === 0) continue;
        it(`are those of ${layer}, in ${chosen.length} cases`, async () => {
          await openBackend(backend, settings);
          for (const example of chosen) {
            const compared = compare(example, batch);
            const about = `${example.name}, ${JSON.stringify(example.layers)}: ${JSON.stringify(compared)}`;
            assert.ok(isRight(compared), about);
            assert.equal(
              compared.refused !== undefined,
              REFUSED.some((name) => name.test(example.name)),
              about,
            );
          }
        });
      }
    });
  }

  it("differ from a result that is wrong in one element or in shape", async () => {
    await openBackend("wasm");
    const [example] = byLayer.get("Dense") as KerasCase[];
    const other = { ...example, output: example.output.with(0, example.output[0] + 1e-4) };
    assert.ok(isRight(compare(example, batch)));
    assert.ok(!isRight(compare(other, batch)));
    assert.throws(() => compare({ ...example, shape: [7] }, batch), /is declared as/);
  });

  it("are shown as a table that names the wrong ones", () => {
    const errors = { output: 1e-7, gradients: 0 };
    const line = { scenario: "gradients-against-keras", layer: "Dense", cases: 2, backends: { wasm: errors } } as const;
    assert.match(tableOf([line]), /Dense +2 +1\.0e-7 \/ 0/);
    assert.equal(wrongIn([line]), undefined);
    assert.match(wrongIn([{ ...line, wrong: ["wasm: Dense 1"] }]) ?? "", /wasm: Dense 1/);
  });
});
