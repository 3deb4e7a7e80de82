import assert from "node:assert/strict";
import { describe, it } from "node:test";
import * as tf from "@tensorflow/tfjs-core";
import { openBackend, probeBackend } from "../index.js";
import { type NativeBackend, reasonOf } from "./native-package.js";

const { available, reason } = await probeBackend("tfjs-node");

describe("reasonOf()", () => {
  it("leaves TensorFlow's own words", () => {
    const node = "{{function_node __wrapped__DenseBincount_device_/job:localhost/replica:0/task:0/device:GPU:0}}";
    const message = `Invalid TF_Status: 12\nMessage: ${node} Determinism is not yet\nsupported. [Op:DenseBincount] name: `;
    assert.equal(reasonOf(message), "Determinism is not yet supported.");
    assert.equal(reasonOf("Invalid number of inputs"), "Invalid number of inputs");
  });
});

describe("an operation that TensorFlow refuses", { skip: !available && reason }, () => {
  it("is named, with TensorFlow's reason, in one line", async () => {
    await openBackend("tfjs-node");
    const native = tf.backend() as NativeBackend;
    const { TF_ATTR_TYPE: type, TF_FLOAT: value } = native.binding;
    const [a, b] = [tf.ones([2, 3]), tf.ones([2, 3])];
    assert.throws(() => native.executeSingleOutput("MatMul", [{ name: "T", type, value }], [a, b]), {
      message: /^TensorFlow can't compute the operation MatMul: Matrix size-incompatible: [^\n]*\[2,3\][^\n]*$/,
    });
    assert.throws(() => native.executeMultipleOutputs("NoSuchOperation", [], [a], 1), {
      message: /^TensorFlow can't compute the operation NoSuchOperation: [^\n]*NoSuchOperation[^\n]*$/,
    });
  });
});
