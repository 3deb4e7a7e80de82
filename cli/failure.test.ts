import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../shared/errors.js";
import { exitCodeOf, failureText, usageSentence } from "./failure.js";

describe("a failure", () => {
  it("is only the sentence when a person can act on it", () => {
    const error = new IsobatchError("refused", "The door is locked.");
    assert.deepEqual([failureText(error), exitCodeOf(error)], ["The door is locked.\n", 1]);
    assert.equal(exitCodeOf(new IsobatchError("invalid_input", "No.")), 2);
  });

  it("shows its stack when it is a bug, and where to report it", () => {
    const error = new TypeError("x is undefined");
    assert.match(failureText(error), /bug in Isobatch.* at https:\/\/\S+\/issues\nTypeError: x is undefined\n +at /s);
    assert.equal(exitCodeOf(error), 70);
  });
});

describe("usageSentence()", () => {
  it("makes a sentence of a complaint", () => {
    assert.equal(
      usageSentence("error: missing required argument 'task'\n", "isobatch run"),
      "Missing required argument 'task'; isobatch run --help lists what there is.\n",
    );
  });
});
