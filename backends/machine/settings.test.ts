import assert from "node:assert/strict";
import { homedir } from "node:os";
import { describe, it } from "node:test";
import { readBackendSettings } from "./settings.js";

describe("readBackendSettings()", () => {
  it("takes the variables that are set, and defaults for the others", () => {
    const folder = `${homedir()}/.local/share/isobatch/tensorflow`;
    const unset = { tensorFlowFolder: folder, gpuMemoryMiB: undefined, program: undefined };
    assert.deepEqual(readBackendSettings({}), unset);
    assert.deepEqual(readBackendSettings({ ISOBATCH_GPU_MEMORY: "", ISOBATCH_TENSORFLOW_PROGRAM: "" }), unset);
    const variables = { ISOBATCH_TENSORFLOW: "/t", ISOBATCH_GPU_MEMORY: "1.5", ISOBATCH_TENSORFLOW_PROGRAM: "layout" };
    const expected = { tensorFlowFolder: "/t", gpuMemoryMiB: 1_536, program: "layout" };
    assert.deepEqual(readBackendSettings(variables), expected);
  });

  it("refuses, in one sentence, a limit of memory that is not a number in range", () => {
    for (const value of ["0", "0.2", "-1", "1025", "6GiB", "half"]) {
      assert.throws(() => readBackendSettings({ ISOBATCH_GPU_MEMORY: value }), {
        code: "invalid_input",
        message: `ISOBATCH_GPU_MEMORY is "${value}"; it takes GiB of each GPU, from 0.25 to 1024.`,
      });
    }
  });

  it("refuses words for programs that it doesn't know", () => {
    const variables = { ISOBATCH_TENSORFLOW_PROGRAM: "fast" };
    assert.throws(() => readBackendSettings(variables), {
      message: /^ISOBATCH_TENSORFLOW_PROGRAM is "fast"; it takes off/,
    });
  });
});
