import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { existsSync } from "node:fs";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { promisify } from "node:util";
import { sessionAddonOf } from "../../shared/native/installation.js";
import { findInstallation } from "../backends/tensorflow/availability.js";

const installation = findInstallation("tfjs-node");
const skip =
  typeof installation === "string"
    ? installation
    : !existsSync(sessionAddonOf(installation)) && "TensorFlow has no sessions; run isobatch tensorflow install";

describe("a program that XLA compiles", { skip }, () => {
  /** XLA's own StatelessRandomUniform makes other numbers of a key than TensorFlow's. */
  it("drops what the operations drop", async () => {
    const program = fileURLToPath(new URL("./xla-program.test.helper.js", import.meta.url));
    const env = { ...process.env, ISOBATCH_TENSORFLOW_PROGRAM: "xla" };
    const { stdout } = await promisify(execFile)(process.execPath, [program], { env, timeout: 60_000 });
    assert.deepEqual(JSON.parse(stdout), []);
  });
});
