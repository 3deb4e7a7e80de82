import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, describe, it } from "node:test";
import { findTorch } from "./torch-python.js";

describe("findTorch()", () => {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-torch-"));
  after(() => rmSync(folder, { recursive: true }));

  const python = (name: string, body: string): string => {
    const file = join(folder, name);
    writeFileSync(file, `#!/bin/sh\n${body}\n`);
    chmodSync(file, 0o755);
    return file;
  };
  const inAMinute = (): number => Date.now() + 60_000;

  it("takes an interpreter whose PyTorch sees the device", async () => {
    const sees = python("sees", "echo gpu");
    assert.deepEqual(await findTorch("gpu", sees, inAMinute()), { python: sees });
    const blind = python("blind", "echo cpu");
    assert.deepEqual(await findTorch("gpu", blind, inAMinute()), { reason: `${blind}: its PyTorch sees no GPU` });
  });

  it("says why an interpreter has no PyTorch", async () => {
    const without = python("without", "echo 'Traceback:' >&2; echo 'No module named torch' >&2; exit 1");
    assert.deepEqual(await findTorch("cpu", without, inAMinute()), { reason: `${without}: No module named torch` });
  });

  it("gives up an interpreter that does not answer in time", async () => {
    const slow = python("slow", "exec tail -f /dev/null");
    const found = await findTorch("cpu", slow, Date.now() + 50);
    assert.deepEqual(found, { reason: `${slow}: PyTorch was not loaded in time` });
  });
});
