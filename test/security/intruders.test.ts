/**
 * Attempts of anyone on the network against a server that others can reach: all are refused with the reason, and nothing
 * of the model or the data is sent, which is counted where the server turns messages into bytes.
 */
import assert from "node:assert/strict";
import { mkdtempSync, rmSync } from "node:fs";
import { connect as connectTcp, type Socket } from "node:net";
import { networkInterfaces, tmpdir } from "node:os";
import { join } from "node:path";
import { before, describe, it, type TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import type { ServiceError } from "@grpc/grpc-js";
import { addToken, openSecurity, revokeToken } from "../../server/index.js";
import {
  CALL,
  connectTo,
  joinRequest,
  leasePush,
  push,
  serve,
  smallTask,
  type TestServer,
  work,
} from "../../server/test-server.test.helper.js";
import { formatToken, parseToken, type TokenRole } from "../../shared/credentials/index.js";
import { layoutFromJson } from "../../shared/layout/index.js";
import { createLog } from "../../shared/log.js";
import {
  type Connection,
  type ControlRequest,
  call,
  connect,
  coordinatorService,
  createTrust,
  fromStatus,
  readMessages,
  shardService,
} from "../../shared/wire/index.js";
import { FETCH } from "../../shared/wire/messages/messages.test.helper.js";
import type { Task } from "../../tasks/index.js";
import { broken } from "../promises.test.helper.js";

const STEPS = 4;
const LIMIT = { timeout: 120_000 };

/** An address of this machine that others can reach, if it has one: exemptions for loopback must not apply to it. */
const HERE =
  Object.values(networkInterfaces())
    .flatMap((list) => list ?? [])
    .find(({ internal, family }) => !internal && family === "IPv4")?.address ?? "127.0.0.1";

/** Messages with weights or samples that servers of this process have turned into bytes. */
let givenOut = 0;
for (const method of [shardService.WatchWeights, coordinatorService.FetchSamples] as {
  responseSerialize: Serialise;
}[]) {
  const serialise = method.responseSerialize;
  method.responseSerialize = (message) => {
    givenOut++;
    return serialise(message);
  };
}
type Serialise = (message: never) => Buffer;

let task: Task;
/** The stateHash of an undisturbed run. */
let undisturbed: string;
const UNCHANGED = broken("rejectedInput", "The stateHash is not that of an undisturbed run.");

before(async () => {
  task = await smallTask(STEPS);
});

function serveHere(test: TestContext): Promise<TestServer> {
  const names = [HERE, "127.0.0.1"];
  return serve(test, { task, listen: { host: HERE, port: 0 }, tls: { kind: "own", names }, tokens: [] });
}

/** Trains to the end with a genuine worker. */
async function finish(test: TestContext, server: TestServer): Promise<string> {
  await work(test, server.address, { token: server.security.joinToken });
  return (await server.finished).summary.stateHash;
}

/** A token of this server, in the form that people copy. */
function tokenFor({ out, security }: TestServer, name: string, role: TokenRole, expiresMs?: number): string {
  const secret = addToken(join(out, "security"), { name, role, nowMs: Date.now(), expiresMs });
  security.reload();
  return formatToken({ secret, server: security.server });
}

/** A genuine secret of another run, with the digest of this one's CA. */
async function tokenOfAnotherRun(test: TestContext, { security }: TestServer): Promise<string> {
  const folder = mkdtempSync(join(tmpdir(), "isobatch-another-"));
  test.after(() => rmSync(folder, { recursive: true }));
  const another = await openSecurity({
    folder,
    tls: { kind: "none" },
    log: createLog({ level: "silent", pretty: false }),
  });
  another.close();
  return formatToken({ secret: another.joinToken!, server: security.server });
}

interface Claims {
  readonly workerId: string;
  readonly seal: Uint8Array;
}
const NOBODY: Claims = { workerId: "vm-1", seal: Buffer.alloc(32) };

/** Every method of the wire, with a call of it. */
const METHODS: Readonly<Record<string, (connection: Connection, claims: Claims) => Promise<unknown>>> = {
  Join: ({ coordinator }) => call(coordinator, coordinatorService.Join, joinRequest(), CALL),
  GetStatus: ({ coordinator }) => call(coordinator, coordinatorService.GetStatus, {}, CALL),
  Control: ({ coordinator }) => call(coordinator, coordinatorService.Control, { stop: {} }, CALL),
  Work: ({ coordinator }, { workerId }) => {
    const stream = coordinator.work();
    stream.write({ attach: { workerId } });
    return first(stream);
  },
  Serve: ({ coordinator }) => {
    const stream = coordinator.serve();
    stream.write({ hello: { index: 1, version: joinRequest().version } });
    return first(stream);
  },
  FetchSamples: ({ coordinator }, claims) => first(coordinator.fetchSamples({ ...FETCH, ...claims })),
  WatchMetrics: ({ coordinator }) => first(coordinator.watchMetrics({ fromLine: 0 })),
  Near: ({ shard }) => first(shard.near()),
  WatchWeights: ({ shard }, claims) => first(shard.watchWeights({ ...claims, term: 1 })),
  PushSums: (connection, claims) =>
    push(connection, [
      { lease: { ...claims, lease: 1, term: 1, step: 0, lo: 0, hi: 1, mac: Buffer.alloc(32), losses: [1] } },
    ]),
};
const EVERY_METHOD = Object.keys(METHODS);
const NEEDS_JOINING = ["FetchSamples", "WatchWeights", "PushSums"];

/** The first message of a stream, which is then closed. */
async function first(stream: Parameters<typeof readMessages>[0]): Promise<unknown> {
  for await (const message of readMessages(stream, { what: "The stream", stallMs: 10_000 })) return message;
  throw new Error("the stream ended without a message");
}

/** Each of these methods is refused for that reason. */
async function refusesAll(connection: Connection, methods: readonly string[], reason: RegExp, claims = NOBODY) {
  for (const name of methods) {
    await assert.rejects(METHODS[name](connection, claims), (error: { code?: string; message: string }) => {
      assert.match(error.message, reason, broken("tokenNeeded", `${name} answered: ${error.message}`));
      assert.equal(error.code, "refused", name);
      return true;
    });
  }
}

describe("a server that others reach", LIMIT, () => {
  it("trains undisturbed, and counts the samples and weights that it sends to a worker that has joined", async (test) => {
    const server = await serveHere(test);
    const connection = await connectTo(test, server.address, server.security.joinToken);
    const joined = await call(connection.coordinator, coordinatorService.Join, joinRequest(), CALL);
    for (const method of ["FetchSamples", "WatchWeights"]) {
      const before = givenOut;
      await METHODS[method](connection, joined);
      assert.ok(givenOut > before, method);
    }
    undisturbed = await finish(test, server);
  });

  it("refuses every request that the caller has no right to, and sends nothing", async (test) => {
    const server = await serveHere(test);
    const before = givenOut;
    const { address, security } = server;
    const joinToken = security.joinToken!;
    const { secret } = parseToken(joinToken);
    const withDigestOnly = formatToken({ secret: "isobatch_guess", server: security.server });

    // Without TLS, and with another CA: the secret isn't even sent.
    await assert.rejects(connect(address, { token: secret, waitMs: 5_000 }), /requires TLS/);
    const foreign = formatToken({ secret, server: { kind: "ca", digest: "A".repeat(43) } });
    await assert.rejects(connect(address, { token: foreign, waitMs: 5_000 }), /is not the one that this token is for/);
    await assert.rejects(connect(address, { token: `${secret}.tls`, waitMs: 5_000 }), /not signed by the CA/);

    const revoked = tokenFor(server, "revoked", "worker");
    revokeToken(join(server.out, "security"), "revoked", Date.now());
    security.reload();
    const expired = tokenFor(server, "expired", "worker", Date.now() + 5);
    await until(() => security.verify(expired) === undefined);
    const strangers: [token: string, reason: RegExp][] = [
      [withDigestOnly, /^The join token is not valid on this server/],
      [await tokenOfAnotherRun(test, server), /^The join token is not valid on this server/],
      [revoked, /^The token "revoked" has been revoked/],
      [expired, /^The token "expired" expired on /],
    ];
    for (const [token, reason] of strangers)
      await refusesAll(await connectTo(test, address, token), EVERY_METHOD, reason);
    const { digest } = parseToken(joinToken).server as { digest: string };
    const trust = createTrust({ digest });
    const nobody = await connect(address, { trust, waitMs: 5_000 });
    test.after(() => nobody.close());
    await refusesAll(nobody, EVERY_METHOD, /^This server requires a join token/);

    // Callers with some rights, at everything else.
    const observer = await connectTo(test, address, tokenFor(server, "sees", "observer"));
    const computing = ["Join", "Work", "FetchSamples", "WatchWeights", "PushSums", "Near"];
    await refusesAll(observer, [...computing, "Control", "Serve"], /"sees" has the role observer, which may not call/);
    const worker = await connectTo(test, address, joinToken);
    await refusesAll(worker, ["Control", "Serve"], /^The token "join" has the role worker, which may not call/);
    await refusesAll(worker, NEEDS_JOINING, /^No worker "vm-1" has joined this run with the token "join": join first/);
    const requests: ControlRequest[] = [
      { createToken: { name: "", role: "admin", lastsMs: 0 } },
      { revokeToken: { name: "admin" } },
      { listTokens: {} },
    ];
    for (const request of requests) {
      await assert.rejects(call(worker.coordinator, coordinatorService.Control, request, CALL), /has the role worker/);
    }

    // One worker's credentials are useless to another worker and to a second stream.
    const joined = await call(worker.coordinator, coordinatorService.Join, joinRequest(), CALL);
    const thief = await connectTo(test, address, tokenFor(server, "thief", "worker"));
    await refusesAll(thief, NEEDS_JOINING, /has joined this run with the token "thief": join first/, joined);
    await refusesAll(thief, ["Work"], /^No worker "tester-\d+" has joined and is yet to open its stream/, joined);

    // Callers that speak another protocol.
    for (const bytes of [
      "GET / HTTP/1.1\r\nHost: isobatch\r\n\r\n",
      "PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n",
      "\0".repeat(64),
    ]) {
      assert.doesNotMatch(await answerTo(connectTcp(address.port, address.host), bytes), /200|html/i);
    }
    const browser = connectTls({ ...address, rejectUnauthorized: false, ALPNProtocols: ["http/1.1"] });
    assert.doesNotMatch(await answerTo(browser, "GET / HTTP/1.1\r\nHost: isobatch\r\n\r\n"), /200 OK|html/i);

    assert.equal(givenOut - before, 0, broken("tokenNeeded", "Weights or samples were sent."));
    assert.equal(await finish(test, server), undisturbed, UNCHANGED);
    const text = server.log.join("");
    for (const token of [joinToken, revoked, expired]) assert.ok(!text.includes(parseToken(token).secret));
  });

  it("accepts no push for the lease of another worker during a run, and has the same bits", async (test) => {
    const server = await serveHere(test);
    const thief = await connectTo(test, server.address, tokenFor(server, "thief", "worker"));
    const own = await call(thief.coordinator, coordinatorService.Join, joinRequest({ host: "thief" }), CALL);
    let stolen = 0;
    const worker = await work(test, server.address, {
      token: server.security.joinToken,
      async onLease(lease) {
        const layout = layoutFromJson(worker.joined.layoutJson);
        await assert.rejects(push(thief, leasePush(own, layout, lease)), /worker thief-\d+ has no such lease/);
        await assert.rejects(push(thief, leasePush(worker.joined, layout, lease)), /"thief": join first/);
        stolen++;
      },
    });
    assert.equal((await server.finished).summary.stateHash, undisturbed, UNCHANGED);
    assert.ok(stolen >= STEPS);
  });

  it("cuts off the streams of a token that is revoked, and no others", async (test) => {
    const server = await serveHere(test);
    const guest = await connectTo(test, server.address, tokenFor(server, "guest", "worker"));
    const { workerId, seal } = await call(guest.coordinator, coordinatorService.Join, joinRequest(), CALL);
    const weights = guest.shard.watchWeights({ workerId, seal, term: 1 });
    const stream = guest.coordinator.work();
    stream.write({ attach: { workerId } });
    const ends = [weights, stream].map(
      (open) =>
        new Promise<string>((resolve) => {
          open.on("data", () => {});
          open.on("error", (error: ServiceError) => resolve(fromStatus(error, "The stream").message));
        }),
    );
    await until(() => server.status().workers!.length === 1);
    revokeToken(join(server.out, "security"), "guest", Date.now());
    for (const reason of await Promise.all(ends)) assert.match(reason, /^The token "guest" has been revoked/);
    await until(() => server.status().workers!.length === 0);
    assert.equal(await finish(test, server), undisturbed, UNCHANGED);
  });
});

/** The bytes that come back until the other side closes. */
function answerTo(socket: Socket, bytes: string): Promise<string> {
  let text = "";
  socket.on("error", () => {});
  socket.on("data", (data) => {
    text += data.toString("latin1");
  });
  socket.write(bytes);
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + 20_000;
  while (!condition()) {
    assert.ok(performance.now() < end, "within 20 s");
    await new Promise((resolve) => setTimeout(resolve, 10));
  }
}
