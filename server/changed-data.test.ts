import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { DatasetSpec } from "../tasks/index.js";
import { changedData } from "./changed-data.js";

const csv = (testFile: string | null) => ({ kind: "csv", file: "/a/std.csv", testFile }) as DatasetSpec;
const known = { fingerprint: "both", trainFingerprint: "train" };

describe("changedData()", () => {
  it("is undefined for the same bytes", () => assert.equal(changedData(known, known, csv(null)), undefined));

  it("names the file of the part that has changed", () => {
    const test = { ...known, fingerprint: "other" };
    const train = { fingerprint: "other", trainFingerprint: "other" };
    assert.deepEqual(changedData(known, test, csv("/b/test.csv")), { onlyTest: true, files: "test.csv" });
    assert.deepEqual(changedData(known, train, csv("/b/test.csv")), { onlyTest: false, files: "std.csv" });
    assert.deepEqual(changedData(known, train, csv(null)), { onlyTest: false, files: "std.csv" });
    assert.deepEqual(changedData(undefined, train, csv("/b/test.csv")), {
      onlyTest: false,
      files: "std.csv, test.csv",
    });
    const folder = { kind: "idx", folder: "/data/digits" } as DatasetSpec;
    assert.deepEqual(changedData(known, train, folder), { onlyTest: false, files: "digits" });
  });
});
