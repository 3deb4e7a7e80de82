import assert from "node:assert/strict";
import { before, describe, it, type TestContext } from "node:test";
import { makeAuthority } from "../credentials/authority.test.helper.js";
import { certificateDigest, createGate, createToken, formatToken, hashSecret } from "../credentials/index.js";
import { createRandom } from "../random.js";
import {
  type ConnectOptions,
  call,
  connect,
  coordinatorService,
  createHandlers,
  createServer,
  createTrust,
  createWriter,
  readMessages,
  type ShardHandlers,
  shardService,
} from "./index.js";
import { type Link, type LinkConnection, openLink } from "./link.test.helper.js";
import { statusMessage, sumsChunk, TAKEN, WATCH, weightsChunk } from "./messages/messages.test.helper.js";

const SECRET = createToken();

let authority: { readonly ca: string; readonly token: string; readonly tls: { key: string; cert: string } };
before(async () => {
  const { ca, issue } = await makeAuthority();
  const { cert, key } = await issue({ names: ["127.0.0.1"] });
  const token = formatToken({ secret: SECRET, server: { kind: "ca", digest: certificateDigest(ca.der) } });
  authority = { ca: ca.pem, token, tls: { key, cert: cert + ca.pem } };
});

/** A link to a server with TLS, which does `spoil` with each connection that is made over it. */
async function serve(
  test: TestContext,
  spoil: (connection: LinkConnection) => void,
  shard?: Pick<ShardHandlers, "PushSums" | "WatchWeights">,
): Promise<Link> {
  const gate = createGate({ passes: [{ name: "test", role: "admin", hash: hashSecret(SECRET) }] });
  const server = createServer({ gate, tls: authority.tls });
  const { unary } = createHandlers((error) => {
    throw error;
  });
  server.addService(coordinatorService, { GetStatus: unary(() => statusMessage({ phase: "running" })) });
  if (shard !== undefined) server.addService(shardService, shard);
  const target = await server.listen({ host: "127.0.0.1", port: 0 });
  const link = await openLink({ target, onConnection: spoil });
  test.after(async () => {
    await link.close();
    await server.shutdown(0);
  });
  return link;
}

/** The client's hello fills the first segment; the server's answer is longer than what is let through of it. */
const STAGES: readonly (readonly [name: string, bytes: number])[] = [
  ["before a byte has come", 0],
  ["after the client's hello", 1],
  ["in the middle of the server's", 1_000],
];
const ENDS = ["hangUp", "cut"] as const;
const TRUSTS: readonly (readonly [name: string, options: () => Partial<ConnectOptions>])[] = [
  ["the CA of its token", () => ({ token: authority.token })],
  ["a CA in a file", () => ({ token: SECRET, trust: createTrust({ ca: authority.ca }) })],
];

describe("a TLS handshake that is cut off", { timeout: 60_000, concurrency: true }, () => {
  for (const [stage, bytes] of STAGES) {
    for (const how of ENDS) {
      const spoil = (connection: LinkConnection): void => {
        if (bytes === 0) connection[how]();
        else connection.onBytes(bytes, () => connection[how]());
      };

      it(`${stage} (${how}) is tried again by a client that knows ${TRUSTS.map(([name]) => name).join(" or ")}`, async (test) => {
        await Promise.all(
          TRUSTS.map(async ([, options]) => {
            // Every other one: the first that asks for the CA, that verifies it, and that is to be used.
            const link = await serve(test, (connection) => link.connections.length % 2 === 1 && spoil(connection));
            const connection = await connect(link.address, { waitMs: 30_000, ...options() });
            test.after(() => connection.close());
            const { phase } = await call(
              connection.coordinator,
              coordinatorService.GetStatus,
              {},
              { deadlineMs: 5_000 },
            );
            assert.equal(phase, "running");
            assert.ok(link.connections.length >= 4);
          }),
        );
      });

      it(`${stage} (${how}), again and again, is a server that can't be reached`, async (test) => {
        const link = await serve(test, spoil);
        await assert.rejects(connect(link.address, { waitMs: 150, token: authority.token }), {
          code: "unavailable",
          // Which of the two was the last depends on how busy this machine is.
          message: /^Cannot reach .*: (the connection was closed by the other side|it does not answer) \(tried for/,
        });
      });
    }
  }

  it("by a server that says nothing more is tried again after a silence, also where the channel makes it", async (test) => {
    // The first two ask for the CA and verify it, each with its own time-out.
    const link = await serve(test, (connection) => {
      if (link.connections.length === 3) connection.onBytes(1, () => connection.stall());
    });
    const connection = await connect(link.address, { waitMs: 30_000, token: authority.token, silenceMs: 200 });
    test.after(() => connection.close());
    assert.ok(link.connections.length > 3);
  });
});

describe("a connection with TLS that is reset", { timeout: 120_000 }, () => {
  it("while both sides write more than it takes is given up by both at once, and not after a silence", async (test) => {
    const { clientStream, serverStream } = createHandlers(() => {});
    const CONNECTIONS = 12;
    const chunk = Buffer.alloc(512 * 1024);
    let served = 0;
    const link = await serve(test, () => {}, {
      WatchWeights: serverStream(async (call) => {
        const writer = createWriter(call, { stallMs: 1e9, what: "the weights" });
        served += 1;
        while (!writer.ended.aborted) await writer.write(weightsChunk({ weights: chunk })).catch(() => {});
        served -= 1;
      }),
      PushSums: clientStream(async (call) => {
        for await (const _ of readMessages(call, { what: "the push" }))
          await new Promise((resolve) => setImmediate(resolve));
        return TAKEN;
      }),
    });
    const random = createRandom(1);
    const trust = createTrust({ ca: authority.ca });
    const ends = Array.from({ length: CONNECTIONS }, async () => {
      const { shard, close } = await connect(link.address, { waitMs: 60_000, token: SECRET, trust });
      test.after(close);
      const push = shard.pushSums(() => {});
      const writer = createWriter(push, { stallMs: 1e9, what: "the push" });
      const pushing = (async () => {
        while (!writer.ended.aborted) await writer.write({ chunk: sumsChunk({ sums: chunk }) }).catch(() => {});
      })();
      const watching = (async () => {
        const messages = readMessages(shard.watchWeights(WATCH), { what: "the weights" });
        await assert.rejects(async () => {
          for await (const _ of messages);
        });
      })();
      await Promise.all([pushing, watching]);
    });
    link.behaviour.onConnection = (connection) =>
      connection.onBytes(100_000 + random.below(1_500_000), () => connection.cut());
    const overdue = AbortSignal.timeout(15_000);
    await Promise.race([
      Promise.all(ends),
      new Promise((_, reject) => overdue.addEventListener("abort", () => reject(new Error("not all have noticed it")))),
    ]);
    while (served > 0) {
      assert.equal(overdue.aborted, false, "the server has noticed all");
      await new Promise((resolve) => setImmediate(resolve));
    }
  });
});
