/** The listener as anybody on the network meets it. */
import assert from "node:assert/strict";
import { mkdtempSync, readFileSync, rmSync } from "node:fs";
import type { IncomingMessage } from "node:http";
import { type RequestOptions, request } from "node:https";
import { connect } from "node:net";
import { tmpdir } from "node:os";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import { openSecurity } from "../../server/security/index.js";
import { createLog } from "../../shared/log.js";
import { type Dashboard, type DashboardOptions, startDashboard } from "./index.js";
import { createMadeUpRun, type MadeUpRun } from "./made-up-run.test.helper.js";

const ADMIN = "isobatch_admin";
const OBSERVER = "isobatch_observer";

interface Listening extends Dashboard {
  readonly run: MadeUpRun;
  ask(path: string, init?: RequestInit): Promise<Response>;
  /** As a browser posts from `origin`, which is its own page by default. */
  post(path: string, body: string, init?: { origin?: string; cookie?: string; type?: string }): Promise<Response>;
  /** Logs in, and resolves to the Cookie header. */
  logIn(token: string): Promise<string>;
}

/** @param host "0.0.0.0" is not loopback, so everything there wants a login. */
async function listen(test: TestContext, host = "127.0.0.1", more: Partial<DashboardOptions> = {}): Promise<Listening> {
  const run = createMadeUpRun({ workers: 2, steps: 20 });
  const dashboard = await startDashboard({
    source: run.source,
    address: { host, port: 0 },
    verify(secret) {
      if (secret === ADMIN) return { name: "admin", mayAct: true };
      return secret === OBSERVER ? { name: "observer", mayAct: false } : undefined;
    },
    joinCommand: () => `ISOBATCH_TOKEN=${ADMIN} isobatch worker join here:7400`,
    log: createLog({ level: "silent", pretty: false }),
    ...more,
  });
  test.after(() => dashboard.close());
  const origin = `http://127.0.0.1:${dashboard.address.port}`;
  const ask: Listening["ask"] = (path, init) => fetch(origin + path, { redirect: "manual", ...init });
  const post: Listening["post"] = (
    path,
    body,
    { origin: from = origin, cookie = "", type = "application/json" } = {},
  ) => ask(path, { method: "POST", body, headers: { origin: from, cookie, "content-type": type } });
  return {
    ...dashboard,
    run,
    ask,
    post,
    async logIn(token) {
      const response = await post("/login", new URLSearchParams({ token }).toString());
      assert.equal(response.status, 303, await response.text());
      return response.headers.get("set-cookie")?.split(";")[0] ?? "";
    },
  };
}

const SECRETS = [ADMIN, OBSERVER];

/** Over TLS, with the certificate checked. */
function askSafely(
  url: string,
  ca: string,
  options: RequestOptions & { body?: string } = {},
): Promise<IncomingMessage> {
  return new Promise((resolve, reject) => {
    const asking = request(url, { ca, agent: false, ...options }, (response) => {
      response.resume();
      resolve(response);
    });
    asking.on("error", reject);
    asking.end(options.body);
  });
}

describe("the listener", () => {
  it("encrypts with the run's own certificate, and gives its cookie only to such connections", async (test) => {
    const folder = mkdtempSync(join(tmpdir(), "isobatch-dashboard-"));
    test.after(() => rmSync(folder, { recursive: true }));
    const log = createLog({ level: "silent", pretty: false });
    const security = await openSecurity({ folder, tls: { kind: "own", names: ["127.0.0.1"] }, log });
    test.after(() => security.close());
    const { address, url } = await listen(test, "0.0.0.0", { tls: security.tls });
    assert.match(url, /^https:/);
    const origin = `https://127.0.0.1:${address.port}`;
    const ca = readFileSync(join(folder, "security/ca.crt"), "utf8");
    assert.equal((await askSafely(`${origin}/metrics`, ca)).statusCode, 401);
    const headers = { origin, "content-type": "application/x-www-form-urlencoded" };
    const body = new URLSearchParams({ token: ADMIN }).toString();
    const loggedIn = await askSafely(`${origin}/login`, ca, { method: "POST", headers, body });
    const [cookie] = loggedIn.headers["set-cookie"] ?? [];
    assert.match(cookie, /^__Host-isobatch-\d+=[\w-]{43}; Path=\/; Max-Age=\d+; HttpOnly; SameSite=Strict; Secure$/);
    const shown = await askSafely(`${origin}/metrics`, ca, { headers: { cookie: cookie.split(";")[0] } });
    assert.equal(shown.statusCode, 200);
    await assert.rejects(fetch(`http://127.0.0.1:${address.port}/metrics`), "nothing comes without TLS");
  });

  it("shows a stranger on the network nothing, and does nothing for one", async (test) => {
    const { ask, post, run } = await listen(test, "0.0.0.0");
    const page = await ask("/");
    assert.deepEqual([page.status, page.headers.get("location")], [303, "/login"]);
    const bodies = [await page.text()];
    for (const path of ["/metrics", "/events", "/api/session"]) {
      const response = await ask(path);
      assert.equal(response.status, 401, path);
      assert.match(response.headers.get("www-authenticate") ?? "", /Bearer/);
      bodies.push(await response.text());
    }
    const acting = await post("/api/control", '{"stop":{}}');
    assert.equal(acting.status, 401);
    bodies.push(await acting.text());
    assert.match(bodies.at(-1) ?? "", /Log in first/);
    assert.doesNotMatch(bodies.join(""), /loss|isobatch_step|node-0/);
    assert.equal((await ask("/metrics", { headers: { authorization: "Bearer isobatch_wrong" } })).status, 401);
    assert.deepEqual(run.asked, []);
    assert.deepEqual([(await ask("/healthz")).status, (await ask("/readyz")).status], [200, 200]);
  });

  it("shows the metrics to a bearer, who may look but not act", async (test) => {
    const { ask, run } = await listen(test, "0.0.0.0");
    const headers = { authorization: `Bearer ${OBSERVER}` };
    const metrics = await ask("/metrics", { headers });
    assert.equal(metrics.status, 200);
    assert.match(metrics.headers.get("content-type") ?? "", /^text\/plain; version=0\.0\.4/);
    assert.match(await metrics.text(), /^isobatch_step 20$/m);
    const acting = await ask("/api/control", { headers, method: "POST", body: '{"stop":{}}' });
    assert.equal(acting.status, 403);
    assert.match(await acting.text(), /"observer" may read, but not act/);
    assert.deepEqual(run.asked, []);
  });

  it("lets its own machine read, act only after a login, and from its own page", async (test) => {
    const { ask, post, logIn, run } = await listen(test);
    assert.equal((await ask("/")).status, 200);
    assert.equal((await post("/api/control", '{"stop":{}}')).status, 401);
    const cookie = await logIn(ADMIN);
    const foreign = await post("/api/control", '{"stop":{}}', { cookie, origin: "http://evil.example" });
    assert.equal(foreign.status, 403);
    assert.match(await foreign.text(), /comes from another page \(Origin http:\/\/evil\.example\)/);
    assert.deepEqual(run.asked, []);
    const own = await post("/api/control", '{"drain":{"workerId":"node-00-1"}}', { cookie });
    assert.deepEqual([own.status, run.asked], [200, [{ drain: { workerId: "node-00-1" } }]]);
    assert.deepEqual(await (await ask("/api/session", { headers: { cookie } })).json(), {
      name: "admin",
      mayAct: true,
      joinCommand: `ISOBATCH_TOKEN=${ADMIN} isobatch worker join here:7400`,
    });
    assert.equal((await post("/logout", "", { cookie })).status, 303);
    assert.equal((await post("/api/control", '{"stop":{}}', { cookie })).status, 401);
  });

  it("shows the join command only to people who may act", async (test) => {
    const { ask, logIn } = await listen(test);
    const cookie = await logIn(OBSERVER);
    for (const path of ["/api/session", "/"]) {
      for (const headers of [{ cookie: "" }, { cookie }]) {
        const text = await (await ask(path, { headers })).text();
        for (const secret of SECRETS) assert.ok(!text.includes(secret), path);
      }
    }
  });

  it("turns away names that are not loopback's, with the reason", async (test) => {
    const { address } = await listen(test);
    const answer = await raw(address.port, "GET / HTTP/1.1\r\nHost: rebind.example\r\nConnection: close\r\n\r\n");
    assert.match(answer, /^HTTP\/1\.1 421 /);
    assert.match(answer, /does not answer to the name "rebind\.example"/);
  });

  it("slows down a client that guesses tokens", async (test) => {
    const { post } = await listen(test, "0.0.0.0");
    const statuses: number[] = [];
    for (let i = 0; i < 7; i++) statuses.push((await post("/login", `token=guess${i}`)).status);
    assert.deepEqual(statuses, [401, 401, 401, 401, 401, 429, 429]);
    const right = await post("/login", `token=${ADMIN}`);
    assert.equal(right.status, 429);
    assert.ok(Number(right.headers.get("retry-after")) > 0);
    assert.match(await right.text(), /Too many attempts: wait \d+ seconds/);
  });

  it("ends a session with its token, and a stream with its session", async (test) => {
    let good = true;
    const verify = (secret: string) => (good && secret === ADMIN ? { name: "admin", mayAct: true } : undefined);
    const { ask, logIn } = await listen(test, "0.0.0.0", { verify });
    const cookie = await logIn(ADMIN);
    const stream = await ask("/events", { headers: { cookie } });
    const reader = stream.body?.getReader() ?? assert.fail();
    assert.match(Buffer.from((await reader.read()).value ?? []).toString(), /^retry: 1000/);
    good = false;
    assert.equal((await ask("/api/session", { headers: { cookie } })).status, 401);
    while (!(await reader.read()).done);
  });

  it("never keeps what is secret, runs no code of others, and can't be framed", async (test) => {
    const { ask } = await listen(test);
    for (const path of ["/", "/login", "/metrics", "/api/session", "/nothing"]) {
      const { headers } = await ask(path);
      assert.equal(headers.get("cache-control"), "no-store", path);
      assert.equal(headers.get("x-frame-options"), "DENY");
      assert.equal(headers.get("referrer-policy"), "same-origin");
      const policy = headers.get("content-security-policy") ?? "";
      assert.match(policy, /default-src 'none'/);
      assert.match(policy, /frame-ancestors 'none'/);
      assert.doesNotMatch(policy, /unsafe|\*|https?:/);
    }
    const html = await (await ask("/")).text();
    assert.doesNotMatch(
      html,
      /<script(?![^>]* src="\/assets\/)|<style| style=| on\w+=/,
      "all code is in files of ours",
    );
    assert.doesNotMatch(html, /(src|href)="(?!\/(?!\/))(?!#)/, "nothing comes from elsewhere");
  });

  it("escapes what comes from the run", async (test) => {
    const run = createMadeUpRun({ workers: 1, steps: 1 });
    const task = { ...run.source.task, name: '<script>alert("x")</script>' };
    const { ask } = await listen(test, "127.0.0.1", { source: { ...run.source, task } });
    for (const path of ["/", "/login"]) assert.doesNotMatch(await (await ask(path)).text(), /<script>|alert\("/);
  });

  it("refuses what it does not understand", async (test) => {
    const { ask, post, logIn, run } = await listen(test);
    const cookie = await logIn(ADMIN);
    for (const body of ["", "{", "{}", "null", '{"stop":{},"drain":{}}', '{"drain":{}}', '{"drain":{"workerId":7}}']) {
      assert.equal((await post("/api/control", body, { cookie })).status, 400, body);
    }
    assert.equal((await post("/api/control", `{"x":"${"x".repeat(5_000)}"}`, { cookie })).status, 400);
    assert.deepEqual(run.asked, []);
    assert.equal((await ask("/nothing")).status, 404);
    assert.equal((await ask("/assets/../../package.json")).status, 404);
    const wrong = await ask("/metrics", { method: "DELETE" });
    assert.deepEqual([wrong.status, wrong.headers.get("allow")], [405, "GET"]);
  });

  it("is ready while the run takes workers", async (test) => {
    const { ask, run } = await listen(test);
    run.status.shards[1].state = "missing";
    const waiting = await ask("/readyz");
    assert.deepEqual([waiting.status, await waiting.text()], [503, "the run is waiting for shard 1\n"]);
    run.status.phase = "ended";
    assert.equal((await ask("/readyz")).status, 503);
    assert.equal((await ask("/healthz")).status, 200);
  });

  it("says in a sentence why it can't listen, or takes another port where it may", async (test) => {
    const { address } = await listen(test);
    await assert.rejects(listen(test, "127.0.0.1", { address }), /port \d+ is in use/);
    const other = await listen(test, "127.0.0.1", { address, orAnyPort: true });
    assert.notEqual(other.address.port, address.port);
  });
});

function raw(port: number, text: string): Promise<string> {
  return new Promise((resolve, reject) => {
    const socket = connect(port, "127.0.0.1", () => socket.write(text));
    let answer = "";
    socket.on("data", (part) => {
      answer += part;
    });
    socket.on("close", () => resolve(answer));
    socket.on("error", reject);
  });
}
