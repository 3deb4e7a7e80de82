import assert from "node:assert/strict";
import { X509Certificate } from "node:crypto";
import { existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync, writeFileSync } from "node:fs";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { parseToken } from "../../shared/credentials/index.js";
import { createLog } from "../../shared/log.js";
import { addToken, ensureServerCertificate, listTokens, openSecurity, revokeToken, type TlsRequest } from "./index.js";

const log = createLog({ level: "silent", pretty: false });
const NAMES = ["trainer.example", "my_server", "192.0.2.7", "2001:db8::7", "localhost"];
const DAY_MS = 86_400_000;

function temporaryFolder(test: TestContext): string {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-security-"));
  test.after(() => rmSync(folder, { recursive: true, force: true }));
  return folder;
}

async function open(test: TestContext, folder: string, tls: TlsRequest = { kind: "own", names: NAMES }) {
  const security = await openSecurity({ folder, tls, log });
  test.after(() => security.close());
  return security;
}

const modeOf = (...path: string[]): number => statSync(join(...path)).mode & 0o777;

describe("ensureServerCertificate()", () => {
  const certificateIn = (folder: string): X509Certificate =>
    new X509Certificate(readFileSync(join(folder, "server.crt")));

  it("makes a CA and a certificate for every name, with keys that only their owner can read", async (test) => {
    const folder = temporaryFolder(test);
    const { cert, caDigest } = await ensureServerCertificate(folder, NAMES, Date.now());
    const [server, ca] = cert.split(/(?<=END CERTIFICATE-----\n)/).map((pem) => new X509Certificate(pem));
    assert.equal(server.verify(ca.publicKey), true);
    assert.deepEqual([ca.ca, server.ca], [true, false]);
    assert.equal(caDigest, Buffer.from(ca.fingerprint256.replaceAll(":", ""), "hex").toString("base64url"));
    for (const name of ["trainer.example", "my_server", "localhost"]) assert.equal(server.checkHost(name), name);
    for (const ip of ["192.0.2.7", "2001:db8::7"]) assert.equal(server.checkIP(ip), ip);
    assert.equal(server.checkHost("other.example"), undefined);
    for (const key of ["ca.key", "server.key"]) assert.equal(modeOf(folder, key), 0o600);
  });

  it("keeps both while they are valid, and renews only the certificate when a name is new or its expiry is near", async (test) => {
    const folder = temporaryFolder(test);
    const first = await ensureServerCertificate(folder, NAMES, Date.now());
    assert.deepEqual(await ensureServerCertificate(folder, NAMES.slice(1), Date.now()), first);
    const moved = await ensureServerCertificate(folder, [...NAMES, "192.0.2.8"], Date.now());
    assert.notEqual(moved.cert, first.cert);
    assert.equal(moved.caDigest, first.caDigest);
    const later = Date.now() + 600 * DAY_MS;
    const renewed = await ensureServerCertificate(folder, NAMES, later);
    assert.notEqual(renewed.cert, moved.cert);
    assert.equal(renewed.caDigest, first.caDigest);
    assert.ok(Date.parse(certificateIn(folder).validTo) > later + 365 * DAY_MS);
    writeFileSync(join(folder, "server.crt"), "torn");
    assert.equal((await ensureServerCertificate(folder, NAMES, Date.now())).caDigest, first.caDigest);
  });

  it("makes no new CA in place of one that can't be used, since every token names it", async (test) => {
    const folder = temporaryFolder(test);
    await ensureServerCertificate(folder, NAMES, Date.now());
    rmSync(join(folder, "ca.key"));
    await assert.rejects(ensureServerCertificate(folder, NAMES, Date.now()), {
      code: "damaged",
      message: /^The CA in .* can't be used: .*ca\.key is missing\. Restore ca\.crt and ca\.key; .*\.$/,
    });
  });
});

describe("openSecurity()", () => {
  it("makes a join and an admin token at first, keeps their hashes, and is the same to everybody when it is opened again", async (test) => {
    const folder = temporaryFolder(test);
    const first = await open(test, folder);
    assert.equal(first.joinTokenIsNew, true);
    assert.equal(readFileSync(join(folder, "token"), "utf8"), `${first.joinToken}\n`);
    const admin = readFileSync(join(folder, "security/admin-token"), "utf8").trim();
    assert.deepEqual(first.verify(first.joinToken!), { name: "join", role: "worker" });
    assert.deepEqual(first.verify(parseToken(admin).secret), { name: "admin", role: "admin" });
    assert.equal(first.verify("isobatch_guess"), undefined);
    first.close();
    for (const file of ["token", "security/admin-token"]) assert.equal(modeOf(folder, file), 0o600);
    assert.equal(modeOf(folder, "security"), 0o700);

    const { secret } = parseToken(first.joinToken!);
    for (const name of readdirSync(folder, { recursive: true }) as string[]) {
      if (name === "token" || statSync(join(folder, name)).isDirectory()) continue;
      assert.ok(!readFileSync(join(folder, name)).includes(secret), name);
    }

    const again = await open(test, folder);
    assert.equal(again.joinTokenIsNew, false);
    assert.equal(again.joinToken, first.joinToken);
    assert.deepEqual(again.tls, first.tls);
  });

  it("adopts the token of a run from before tokens had names, and adds how the server is known", async (test) => {
    const folder = temporaryFolder(test);
    writeFileSync(join(folder, "token"), "isobatch_of-old\n");
    const plain = await open(test, folder, { kind: "none" });
    assert.equal(plain.joinToken, "isobatch_of-old");
    plain.close();
    const encrypted = await open(test, folder);
    assert.match(encrypted.joinToken!, /^isobatch_of-old\.[\w-]{43}$/);
    assert.equal(encrypted.verify("isobatch_of-old")?.name, "join");
  });

  it("notices tokens that other programs make and revoke, and knows when they were used", async (test) => {
    const folder = temporaryFolder(test);
    const security = await open(test, folder, { kind: "none" });
    const own = join(folder, "security");
    const before = Date.now();
    const secret = addToken(own, { name: "lab", role: "observer", nowMs: before });
    const closed: string[] = [];
    security.gate.onClosed((name, reason) => closed.push(name, reason));
    await until(() => security.verify(secret)?.role === "observer");
    revokeToken(own, "lab", Date.now());
    await until(() => closed.length > 0);
    assert.deepEqual(closed, ["lab", 'The token "lab" has been revoked: ask for a new one.']);
    assert.equal(security.verify(secret), undefined);
    security.close();
    const lab = listTokens(own).find(({ name }) => name === "lab")!;
    assert.ok(lab.lastUsedMs! >= before && lab.revokedMs! >= before);
    assert.equal(listTokens(own).find(({ name }) => name === "admin")?.lastUsedMs, undefined);
  });

  it("makes no new join token once that was revoked", async (test) => {
    const folder = temporaryFolder(test);
    const { joinToken, close } = await open(test, folder);
    close();
    revokeToken(join(folder, "security"), "join", Date.now());
    const again = await open(test, folder);
    assert.equal(again.joinToken, undefined);
    assert.equal(again.verify(joinToken!), undefined);
  });

  it("ends the token of a process that it started when it ends", async (test) => {
    const folder = temporaryFolder(test);
    const security = await open(test, folder);
    const token = security.passFor("shards", "shard");
    assert.deepEqual(security.verify(token), { name: "shards", role: "shard" });
    security.close();
    assert.equal((await open(test, folder)).verify(token), undefined);
  });
});

describe("the token store", () => {
  it("refuses a name that is taken or is none, an expiry that is over, and to revoke what is not there", (test) => {
    const folder = temporaryFolder(test);
    addToken(folder, { name: "a", role: "worker", nowMs: 1_000 });
    const add = (name: string, expiresMs?: number) => () =>
      addToken(folder, { name, role: "worker", nowMs: 1_000, expiresMs });
    assert.throws(add("a"), { code: "invalid_input", message: /A token "a" exists already; revoke it first/ });
    for (const name of ["", "../a", "a/b", ".a", "a".repeat(64)])
      assert.throws(add(name), /--name is ".*"; it must be/);
    assert.throws(add("b", 1_000), /would have expired already/);
    assert.throws(() => revokeToken(folder, "c", 2_000), /There is no token "c"; there are a\./);
    assert.deepEqual(readdirSync(join(folder, "tokens")), ["a.json"]);
    assert.equal(existsSync(join(folder, "a.json")), false);
  });

  it("says which file is damaged", (test) => {
    const folder = temporaryFolder(test);
    addToken(folder, { name: "a", role: "worker", nowMs: 1_000 });
    writeFileSync(join(folder, "tokens/a.json"), '{"role":"king"}');
    assert.throws(() => listTokens(folder), { code: "damaged", message: /a\.json is damaged; remove it/ });
  });
});

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 10_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "within 10 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
