import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { reasonOf } from "./native-package.js";

describe("reasonOf()", () => {
  it("leaves TensorFlow's own words", () => {
    const node = "{{function_node __wrapped__DenseBincount_device_/job:localhost/replica:0/task:0/device:GPU:0}}";
    const message = `Invalid TF_Status: 12\nMessage: ${node} Determinism is not yet\nsupported. [Op:DenseBincount] name: `;
    assert.equal(reasonOf(message), "Determinism is not yet supported.");
    assert.equal(reasonOf("Invalid number of inputs"), "Invalid number of inputs");
  });
});
