import assert from "node:assert/strict";
import { mkdtempSync, rmSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { after, before, describe, it } from "node:test";
import { makeAuthority } from "./authority.test.helper.js";
import { readCertificateFiles } from "./index.js";

const HOUR_MS = 3_600_000;

describe("readCertificateFiles()", () => {
  let folder: string;
  const path = (name: string): string => join(folder, name);
  before(async () => {
    folder = mkdtempSync(join(tmpdir(), "isobatch-files-"));
    const { ca, issue } = await makeAuthority();
    const [good, other, old] = [
      await issue({ names: ["a.example"] }),
      await issue({ names: ["b.example"] }),
      await issue({ names: ["c.example"], fromMs: -2 * HOUR_MS, untilMs: -HOUR_MS }),
    ];
    const files = {
      ...{ "ca.pem": ca.pem, "good.pem": good.cert + ca.pem, "good.key": good.key, "other.key": other.key },
      ...{ "old.pem": old.cert, "old.key": old.key, "text.pem": "hello" },
      "torn.pem": "-----BEGIN CERTIFICATE-----\nAAAA\n-----END CERTIFICATE-----\n",
    };
    for (const [name, content] of Object.entries(files)) writeFileSync(path(name), content);
  });
  after(() => rmSync(folder, { recursive: true }));

  const pair = (cert: string, key: string) => ({ tlsCert: path(cert), tlsKey: path(key) });

  it("reads a certificate with those that lead to its CA, its key, and a single CA", () => {
    const files = readCertificateFiles({ ...pair("good.pem", "good.key"), tlsCa: path("ca.pem") }, Date.now());
    assert.match(files.cert!, /^(-----BEGIN CERTIFICATE-----[^-]+-----END CERTIFICATE-----\s+){2}$/);
    assert.match(files.key!, /PRIVATE KEY/);
    assert.deepEqual(Object.keys(readCertificateFiles({ tlsCa: path("ca.pem") }, Date.now())), ["ca"]);
    assert.deepEqual(readCertificateFiles({}, Date.now()), { ca: undefined });
  });

  for (const [name, ask, reason] of [
    ["a key without its certificate", () => ({ tlsKey: path("good.key") }), /^--tls-key was given without --tls-cert;/],
    [
      "a file that is missing",
      () => pair("none.pem", "good.key"),
      /^--tls-cert .*none\.pem cannot be read: there is no such file/,
    ],
    [
      "a file that holds something else",
      () => ({ tlsCa: path("text.pem") }),
      /^--tls-ca .* holds no certificate in PEM/,
    ],
    ["a torn certificate", () => pair("torn.pem", "good.key"), /^--tls-cert .* holds a certificate that can't be read/],
    [
      "another certificate's key",
      () => pair("good.pem", "other.key"),
      /other\.key is not the key of --tls-cert .*good\.pem/,
    ],
    ["a key that is none", () => pair("good.pem", "text.pem"), /^--tls-key .* holds a private key that can't be read/],
    ["a certificate out of date", () => pair("old.pem", "old.key"), /the certificate CN=c\.example expired on /],
  ] as const) {
    it(`refuses ${name}`, () => {
      assert.throws(() => readCertificateFiles(ask(), Date.now()), { code: "invalid_input", message: reason });
    });
  }

  it("refuses one that is not valid yet", () => {
    const early = Date.now() - 3 * HOUR_MS;
    assert.throws(
      () => readCertificateFiles(pair("good.pem", "good.key"), early),
      /CN=a\.example is not valid before /,
    );
  });
});
