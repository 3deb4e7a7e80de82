import assert from "node:assert/strict";
import { chmodSync, mkdtempSync, openSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import fc from "fast-check";
import {
  createLeaseKey,
  createToken,
  type LeaseClaims,
  leaseMac,
  readToken,
  secretsEqual,
  verifyLeaseMac,
  writeTokenFile,
} from "./index.js";

function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-token-"));
  test.after(() => rmSync(folder, { recursive: true }));
  return folder;
}

describe("createToken()", () => {
  it("gives a new one each time, recognisable and free of anything to quote", () => {
    const tokens = new Set(Array.from({ length: 100 }, createToken));
    assert.equal(tokens.size, 100);
    for (const token of tokens) assert.match(token, /^isobatch_[A-Za-z0-9_-]{43}$/);
  });
});

describe("secretsEqual()", () => {
  it("distinguishes equal from unequal secrets of any lengths", () => {
    assert.equal(secretsEqual("secret", "secret"), true);
    for (const other of ["Secret", "secre", "secret ", ""]) assert.equal(secretsEqual("secret", other), false);
  });
});

describe("readToken()", () => {
  it("takes a file first, then standard input, then the environment, and trims what it finds", (test) => {
    const file = join(temporaryFolder(test), "token");
    writeFileSync(file, "  from-file\r\n");
    const stdin = join(temporaryFolder(test), "stdin");
    writeFileSync(stdin, "from-stdin\n");
    assert.equal(readToken({ env: "from-env", file, stdin: openSync(stdin, "r") }), "from-file");
    assert.equal(readToken({ env: "from-env", stdin: openSync(stdin, "r") }), "from-stdin");
    assert.equal(readToken({ env: "from-env" }), "from-env");
    assert.equal(readToken({}), undefined);
    assert.equal(readToken({ env: "" }), undefined);
  });

  it("names the source that cannot be read, is empty, or holds no token", (test) => {
    const file = join(temporaryFolder(test), "token");
    assert.throws(() => readToken({ file }), {
      code: "invalid_input",
      message: /^--token-file .*token cannot be read: there is no such file/,
    });
    writeFileSync(file, "\n");
    assert.throws(() => readToken({ file }), /^IsobatchError: --token-file .*there is no token in it/);
    assert.throws(() => readToken({ env: "two words" }), /^IsobatchError: ISOBATCH_TOKEN: that is not a token/);
    assert.throws(() => readToken({ env: "x".repeat(5_000) }), /at most 4096/);
  });
});

describe("writeTokenFile()", () => {
  it("leaves a file that only its owner can read, also where a readable one was", (test) => {
    const file = join(temporaryFolder(test), "token");
    writeFileSync(file, "a longer token of yesterday");
    chmodSync(file, 0o644);
    const token = createToken();
    writeTokenFile(file, token);
    assert.equal(statSync(file).mode & 0o777, 0o600);
    assert.equal(readFileSync(file, "utf8"), `${token}\n`);
    assert.equal(readToken({ file }), token);
  });
});

describe("leaseMac()", () => {
  const claims: LeaseClaims = { runId: "r", workerId: "w", lease: 1, term: 2, step: 3, lo: 4, hi: 5 };

  it("seals what it was made of, and nothing else", () => {
    const key = createLeaseKey();
    const mac = leaseMac(key, claims);
    assert.equal(mac.length, 32);
    assert.equal(verifyLeaseMac(key, claims, mac), true);
    assert.equal(verifyLeaseMac(createLeaseKey(), claims, mac), false);
    assert.equal(verifyLeaseMac(key, claims, mac.subarray(0, 16)), false);
    assert.equal(verifyLeaseMac(key, claims, Buffer.alloc(0)), false);
    for (const [field, value] of Object.entries(claims)) {
      const other = { ...claims, [field]: typeof value === "number" ? value + 1 : `${value}x` };
      assert.equal(verifyLeaseMac(key, other, mac), false, field);
    }
  });

  it("keeps its fields apart", () => {
    const key = createLeaseKey();
    const name = fc.string();
    const number = fc.maxSafeNat();
    const any = fc.record({
      runId: name,
      workerId: name,
      lease: number,
      term: number,
      step: number,
      lo: number,
      hi: number,
    });
    fc.assert(
      fc.property(any, any, (a, b) => {
        assert.equal(verifyLeaseMac(key, a, leaseMac(key, b)), JSON.stringify(a) === JSON.stringify(b));
      }),
    );
    const shifted = { ...claims, runId: 'r","w', workerId: "" };
    assert.equal(verifyLeaseMac(key, shifted, leaseMac(key, { ...claims, runId: "r", workerId: 'w",""' })), false);
  });
});
