import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { ALL } from "../../shared/all-cases.test.helper.js";
import { type PairsOptions, pairsScenario } from "./scenario.js";

const HERE = fileURLToPath(new URL("../../..", import.meta.url));
const pairs = (options: Partial<PairsOptions>) =>
  pairsScenario(
    { other: HERE, rounds: 1, backends: ["wasm"], models: ["mlp"], parts: ["gradients"], ...options },
    () => {},
  );

describe("the comparison with another checkout", () => {
  it("refuses a folder that is not a built checkout", async () => {
    await assert.rejects(pairs({ other: undefined }), /pairs needs --other PATH, the root of another checkout/);
    await assert.rejects(pairs({ other: "/tmp" }), /--other is \/tmp, which is not a built checkout; run npm ci/);
  });

  it("alternates between both", { skip: !ALL && "npm run test:all runs it" }, async () => {
    const { results } = await pairs({});
    const [{ what, rounds, ms, otherMs, fastestMs }] = results;
    assert.deepEqual([results.length, what, rounds], [1, "wasm mlp", 5]);
    assert.ok(ms >= fastestMs && fastestMs > 0 && otherMs > 0);
  });
});
