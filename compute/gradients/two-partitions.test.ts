import assert from "node:assert/strict";
import { execFile } from "node:child_process";
import { describe, it } from "node:test";
import { fileURLToPath } from "node:url";
import { noSessionAddon as skip } from "./session-addon.test.helper.js";

/** It takes two seconds; a graph that waits for itself takes forever. */
const HANGS_MS = 60_000;

describe("a compiled gradient in two partitions, as on a GPU", { skip }, () => {
  it("returns, with the bits of the operations one by one, or of any other thread's program", async () => {
    const program = fileURLToPath(new URL("./two-partitions-program.test.helper.js", import.meta.url));
    const { stdout, killed } = await new Promise<{ stdout: string; killed: boolean }>((resolve) => {
      execFile(process.execPath, [program], { timeout: HANGS_MS, killSignal: "SIGKILL" }, (error, stdout) => {
        resolve({ stdout, killed: error?.killed ?? false });
      });
    });
    assert.equal(killed, false, `it hangs; until then: ${stdout}`);
    const answers = stdout.trim().split("\n");
    assert.deepEqual(
      answers.map((line) => JSON.parse(line) as object),
      [
        ...["MLP", "GPT"].flatMap((model) => [model, `${model} (plain)`, `${model} (grappler)`]),
        "Embedding, with the kernels for a GPU",
      ].map((model) => ({ model, sameBits: true, refusals: [] })),
    );
  });
});
