import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { noSessionAddon as skip } from "./session-addon.test.helper.js";

describe("a program that XLA compiles", { skip }, () => {
  /** XLA's own StatelessRandomUniform makes other numbers of a key than TensorFlow's. */
  it("drops what the operations drop", async () => {
    const program = fileURLToPath(new URL("./xla-program.test.helper.js", import.meta.url));
    const env = { ...process.env, ISOBATCH_TENSORFLOW_PROGRAM: "xla" };
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env, timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), []);
  });
});
