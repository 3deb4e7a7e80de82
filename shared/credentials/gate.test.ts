import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { coordinatorService, shardService } from "../wire/index.js";
import {
  createGate,
  createToken,
  formatToken,
  hashSecret,
  mayCall,
  type Pass,
  parseToken,
  type Role,
} from "./index.js";

const passOf = (name: string, secret: string, more: Partial<Pass> = {}): Pass => ({
  name,
  role: "worker",
  hash: hashSecret(secret),
  ...more,
});

describe("createGate()", () => {
  it("says whose a secret is, and gives no hint about an unknown one", () => {
    const gate = createGate({ passes: [passOf("a", "secret-a"), passOf("b", "secret-b", { role: "admin" })] });
    assert.deepEqual(gate.admit("secret-b"), { admitted: true, identity: { name: "b", role: "admin" } });
    for (const wrong of ["", "secret-", "secret-c", hashSecret("secret-a")]) {
      const reason = "The join token is not valid on this server: use the one that it printed.";
      assert.deepEqual(gate.admit(wrong), { admitted: false, reason });
    }
  });

  it("refuses a revoked and an expired one by its name, and notifies listeners of both at once", () => {
    let now = Date.parse("2030-01-01T00:00:00Z");
    const closed: string[] = [];
    const gate = createGate({ now: () => now });
    gate.onClosed((name, reason) => closed.push(`${name}: ${reason}`));
    const short = passOf("short", "s", { expiresMs: now + 1_000 });
    const passes = [short, passOf("long", "l"), passOf("gone", "g")];
    gate.replace(passes);
    for (const secret of ["s", "l", "g"]) assert.equal(gate.admit(secret).admitted, true);
    now += 1_000;
    gate.replace([short, passOf("long", "l", { revokedMs: now })]);
    const expired = 'The token "short" expired on 2030-01-01T00:00:01.000Z: ask for a new one.';
    const revoked = 'The token "long" has been revoked: ask for a new one.';
    assert.deepEqual(gate.admit("s"), { admitted: false, reason: expired });
    assert.deepEqual(gate.admit("l"), { admitted: false, reason: revoked });
    const gone = `gone: The token "gone" is no longer valid on this server: ask for a new one.`;
    assert.deepEqual(closed.sort(), [gone, `long: ${revoked}`, `short: ${expired}`].sort());
  });

  it("notifies listeners of an expiry when its time comes", async (test: TestContext) => {
    const gate = createGate({ passes: [passOf("short", "s", { expiresMs: Date.now() + 20 })] });
    test.after(() => gate.close());
    // The gate's timer does not keep a process alive.
    const alive = setInterval(() => {}, 1_000);
    const name = await new Promise((resolve) => gate.onClosed(resolve));
    clearInterval(alive);
    assert.equal(name, "short");
  });
});

describe("mayCall()", () => {
  const callers = (method: string, service: string): Role[] =>
    (["worker", "observer", "admin", "shard"] as const).filter((role) =>
      mayCall(role, `/isobatch.v1.${service}/${method}`),
    );

  it("knows every method of the wire, so that none is open or closed by oversight", () => {
    for (const service of [coordinatorService, shardService]) {
      for (const { path } of Object.values(service)) {
        const [, name, method] = path.split("/");
        assert.ok(callers(method, name.split(".")[2]).length > 0, path);
      }
    }
  });

  it("lets no worker stop a run or drain others, no observer compute, and nobody but a shard have the lease key", () => {
    assert.deepEqual(callers("Control", "Coordinator"), ["admin"]);
    for (const method of ["Join", "Work", "FetchSamples"]) {
      assert.deepEqual(callers(method, "Coordinator"), ["worker", "admin"]);
    }
    for (const method of ["PushSums", "WatchWeights", "Near"])
      assert.deepEqual(callers(method, "Shard"), ["worker", "admin"]);
    assert.deepEqual(callers("Serve", "Coordinator"), ["shard"]);
    assert.deepEqual(callers("Anything", "Coordinator"), []);
  });
});

describe("a token's text", () => {
  it("contains how the server is recognised, and is read back; any other word is only a secret", () => {
    const secret = createToken();
    for (const server of [
      { kind: "plain" as const },
      { kind: "ca" as const, digest: "x".repeat(43) },
      { kind: "certificate" as const },
    ]) {
      assert.deepEqual(parseToken(formatToken({ secret, server })), { secret, server });
    }
    for (const word of ["guess", "with.dot", "with.two.dots", "."]) {
      assert.deepEqual(parseToken(word), { secret: word, server: { kind: "plain" } });
    }
  });
});
