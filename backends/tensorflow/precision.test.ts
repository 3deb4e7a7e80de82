import assert from "node:assert/strict";
import { join } from "node:path";
import { describe, it } from "node:test";
import { readInstallation, tensorFlowFolder } from "../../shared/native/installation.js";
import { loadProcessAddon } from "../../shared/native/process-addon.js";
import { setTensorFlowEnvironment } from "../machine/process-environment.js";
import { productsOn } from "./precision.js";

describe("productsOn()", () => {
  it("rounds what the device doesn't, and has TF32 on only where the task wants less than float32", () => {
    assert.deepEqual(
      (["float32", "tf32", "bfloat16"] as const).map((precision) => [
        productsOn("cpu", precision),
        productsOn("gpu", precision),
      ]),
      [
        [
          { tf32: false, bits: undefined },
          { tf32: false, bits: undefined },
        ],
        [
          { tf32: false, bits: 10 },
          { tf32: true, bits: undefined },
        ],
        [
          { tf32: false, bits: 7 },
          { tf32: true, bits: 7 },
        ],
      ],
    );
  });

  it("computes no TF32 where it can't be switched on, and says what to do", () => {
    assert.deepEqual(productsOn("gpu without a switch", "bfloat16"), { tf32: false, bits: 7 });
    assert.throws(() => productsOn("gpu without a switch", "tf32"), {
      code: "unavailable",
      message: /precision is "tf32", .* run isobatch tensorflow install --cuda again\.$/,
    });
  });
});

describe("setTensorFlowEnvironment()", () => {
  it("leaves TF32 to TensorFlow's switch, and forbids it where there is none", () => {
    for (const [given, switches, expected] of [
      [undefined, true, undefined],
      ["0", true, undefined],
      ["1", false, "0"],
    ] as const) {
      const variables: Record<string, string | undefined> = given === undefined ? {} : { NVIDIA_TF32_OVERRIDE: given };
      setTensorFlowEnvironment(undefined, switches, variables);
      assert.equal(variables.NVIDIA_TF32_OVERRIDE, expected);
    }
  });
});

const installation = readInstallation(tensorFlowFolder(process.env), "cpu");
const addon = installation && loadProcessAddon(installation);
const skip = addon?.tensorFloat32 === undefined && "no TensorFlow is installed with this version's addon";

describe("TensorFlow's switch for TF32", { skip }, () => {
  it("is found and set in a library that is loaded, and in no other", () => {
    const library = join(installation!.libraryFolder, "libtensorflow_framework.so.2");
    const isOn = (): boolean => addon!.version!(library, "_ZN3tsl33tensor_float_32_execution_enabledEv", false) === 1;
    assert.equal(addon!.tensorFloat32!(library, true), false);
    assert.equal(addon!.load(library), undefined);
    for (const on of [false, true, false]) {
      assert.equal(addon!.tensorFloat32!(library, on), true);
      assert.equal(isOn(), on);
    }
    assert.throws(() => addon!.tensorFloat32!(library, undefined as never), TypeError);
  });
});
