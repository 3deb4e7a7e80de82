import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { type Asked, refusalOf } from "./access.js";
import { createAttempts } from "./attempts.js";
import { cookieOf, createSessions, SESSION_SECONDS, sessionCookie } from "./sessions.js";

const LOCAL: Asked = {
  ...{ access: "read", method: "GET", host: "127.0.0.1:7401", origin: undefined, forwarded: false },
  ...{ identity: undefined, bearer: false, loopback: true },
};
const OUTSIDE: Asked = { ...LOCAL, host: "train.example:7401", loopback: false };
const ADMIN = { name: "admin", mayAct: true };
const OBSERVER = { name: "grafana", mayAct: false };
const POST = { access: "act", method: "POST", origin: "http://127.0.0.1:7401" } as const;

describe("refusalOf()", () => {
  const cases: [name: string, asked: Asked, status: number | undefined][] = [
    ["lets anybody on loopback read", LOCAL, undefined],
    ["knows loopback by its other names", { ...LOCAL, host: "localhost:7401" }, undefined],
    ["knows loopback in IPv6", { ...LOCAL, host: "[::1]:7401" }, undefined],
    ["turns away a name that is not loopback's", { ...LOCAL, host: "rebind.example:7401" }, 421],
    ["turns away a name that only starts like loopback's", { ...LOCAL, host: "127.0.0.1.example:7401" }, 421],
    ["turns away a request without a name", { ...LOCAL, host: undefined }, 421],
    ["turns such names away with a login too", { ...LOCAL, host: "rebind.example", identity: ADMIN }, 421],
    ["wants a login of who comes through a proxy", { ...LOCAL, forwarded: true }, 401],
    ["lets nobody outside read without a login", OUTSIDE, 401],
    ["lets an observer outside read", { ...OUTSIDE, identity: OBSERVER }, undefined],
    ["refuses a wrong bearer token even on loopback", { ...LOCAL, bearer: true }, 401],
    ["answers probes under any name", { ...OUTSIDE, access: "open", host: "10.0.0.7" }, undefined],
    ["lets nobody act without a login, on loopback neither", { ...LOCAL, ...POST }, 401],
    ["lets an admin act from a page of ours", { ...LOCAL, ...POST, identity: ADMIN }, undefined],
    ["does not let an observer act", { ...LOCAL, ...POST, identity: OBSERVER }, 403],
    ["refuses what another page posts", { ...LOCAL, ...POST, identity: ADMIN, origin: "http://evil.example" }, 403],
    ["refuses another port of this machine", { ...LOCAL, ...POST, identity: ADMIN, origin: "http://127.0.0.1:1" }, 403],
    ["refuses a page without an origin", { ...LOCAL, ...POST, identity: ADMIN, origin: "null" }, 403],
    ["refuses a post without an Origin by cookie", { ...LOCAL, ...POST, identity: ADMIN, origin: undefined }, 403],
    [
      "needs no Origin with a bearer token",
      { ...LOCAL, ...POST, identity: ADMIN, origin: undefined, bearer: true },
      undefined,
    ],
    ["lets a log-in be tried from a page of ours", { ...LOCAL, ...POST, access: "session" }, undefined],
    [
      "refuses a log-in from another page",
      { ...LOCAL, ...POST, access: "session", origin: "http://evil.example" },
      403,
    ],
  ];
  for (const [name, asked, status] of cases) {
    it(name, () => assert.equal(refusalOf(asked)?.status, status));
  }
});

describe("sessions", () => {
  it("hold the token until they end, or are not used for half a day", () => {
    const sessions = createSessions();
    const secret = sessions.open("token", 0);
    assert.equal(sessions.find(secret, 1_000), "token");
    assert.equal(sessions.find(`${secret}x`, 1_000), undefined);
    assert.equal(sessions.find(secret, SESSION_SECONDS * 1_000), "token", "used meanwhile");
    assert.equal(sessions.find(secret, 3 * SESSION_SECONDS * 1_000), undefined);
    const other = sessions.open("token", 0);
    sessions.end(other);
    assert.equal(sessions.find(other, 1), undefined);
  });

  it("are bounded: the one that was silent longest goes", () => {
    const sessions = createSessions();
    const first = sessions.open("first", 0);
    const second = sessions.open("second", 0);
    sessions.find(first, 1);
    for (let i = 0; i < 255; i++) sessions.open("more", 2);
    assert.equal(sessions.find(second, 3), undefined);
    assert.equal(sessions.find(first, 3), "first");
  });

  it("travel in a cookie that no script reads and no other page sends", () => {
    const cookie = sessionCookie("name", "value", true);
    assert.equal(cookie, `name=value; Path=/; Max-Age=${SESSION_SECONDS}; HttpOnly; SameSite=Strict; Secure`);
    assert.equal(cookieOf("a=1; name=value; b=2", "name"), "value");
    assert.equal(cookieOf("xname=value", "name"), undefined);
  });
});

describe("attempts to log in", () => {
  it("are few from one address, and come back with time", () => {
    const attempts = createAttempts();
    for (let i = 0; i < 5; i++) assert.equal(attempts.take("a", 0), 0);
    assert.equal(attempts.take("a", 0), 12);
    assert.equal(attempts.take("b", 0), 0);
    assert.equal(attempts.take("a", 11_999), 1);
    assert.equal(attempts.take("a", 12_001), 0);
  });

  it("are bounded from many addresses together", () => {
    const attempts = createAttempts();
    let admitted = 0;
    for (let i = 0; i < 1_000; i++) if (attempts.take(`address ${i}`, 0) === 0) admitted++;
    assert.equal(admitted, 50);
  });
});
