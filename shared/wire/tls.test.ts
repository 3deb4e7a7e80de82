import assert from "node:assert/strict";
import http2 from "node:http2";
import net from "node:net";
import { before, describe, it, type TestContext } from "node:test";
import { connect as connectTls } from "node:tls";
import type { handleUnaryCall } from "@grpc/grpc-js";
import { type Certificate, makeAuthority } from "../credentials/authority.test.helper.js";
import { certificateDigest, createGate, createToken, formatToken, hashSecret } from "../credentials/index.js";
import {
  type Address,
  CHUNK_PAYLOAD_BYTES_MAX,
  type Connection,
  type ConnectOptions,
  type CreateServerOptions,
  call,
  connect,
  coordinatorService,
  createServer,
  createTrust,
  type Status,
} from "./index.js";
import { statusMessage } from "./messages/messages.test.helper.js";

const DEADLINE = { deadlineMs: 5_000 };
const SECRET = createToken();
const NAMES = ["127.0.0.1", "localhost"];

/** Two authorities, with a server's and a client's certificate of each. */
let ours: Authority;
let theirs: Authority;
type Authority = Awaited<ReturnType<typeof authority>>;

async function authority() {
  const { ca, issue } = await makeAuthority();
  const [server, client] = [await issue({ names: NAMES }), await issue({ names: ["worker"], client: true })];
  const digest = certificateDigest(ca.der);
  return { ca: ca.pem, issue, server, client, token: formatToken({ secret: SECRET, server: { kind: "ca", digest } }) };
}

before(async () => {
  [ours, theirs] = [await authority(), await authority()];
});

const chainOf = ({ cert, key }: Certificate, ca: string) => ({ key, cert: cert + ca });

interface Served extends Address {
  /** Calls that reached their handler. */
  readonly calls: () => number;
}

async function serve(test: TestContext, options: CreateServerOptions): Promise<Served> {
  let calls = 0;
  const gate = createGate({ passes: [{ name: "test", role: "admin", hash: hashSecret(SECRET) }] });
  const server = createServer({ gate, ...options });
  test.after(() => server.shutdown(0));
  const getStatus: handleUnaryCall<object, Status> = (_call, answer) => {
    calls++;
    answer(null, statusMessage({ phase: "running" }));
  };
  server.addService(coordinatorService, { GetStatus: getStatus, Control: getStatus });
  server.setServing(true);
  const { port } = await server.listen({ host: "127.0.0.1", port: 0 });
  return { host: "127.0.0.1", port, calls: () => calls };
}

async function phase(test: TestContext, address: Address, options: Partial<ConnectOptions>): Promise<string> {
  const { coordinator } = await connected(test, address, options);
  return (await call(coordinator, coordinatorService.GetStatus, {}, DEADLINE)).phase;
}

async function connected(test: TestContext, address: Address, options: Partial<ConnectOptions>): Promise<Connection> {
  const connection = await connect(address, { waitMs: 10_000, ...options });
  test.after(() => connection.close());
  return connection;
}

describe("a server with TLS", () => {
  const tls = () => chainOf(ours.server, ours.ca);

  it("is verified with only the token, at its address and at its name", async (test) => {
    const { port, calls } = await serve(test, { tls: tls() });
    for (const host of ["127.0.0.1", "localhost"]) {
      assert.equal(await phase(test, { host, port }, { token: ours.token }), "running");
    }
    assert.equal(calls(), 2);
  });

  it("keeps the CA that the token named for every further connection", async (test) => {
    const trust = createTrust({ digest: ours.token.split(".")[1] });
    const genuine = await serve(test, { tls: tls() });
    assert.equal(await phase(test, genuine, { token: ours.token, trust }), "running");
    const impostor = await serve(test, { tls: chainOf(theirs.server, theirs.ca) });
    await assert.rejects(connected(test, impostor, { token: ours.token, trust }), /not signed by the CA/);
    assert.equal(impostor.calls(), 0);
  });

  const REFUSALS: [
    name: string,
    server: () => CreateServerOptions["tls"],
    client: () => Partial<ConnectOptions>,
    RegExp,
  ][] = [
    [
      "another CA than the token's, before a secret is sent",
      () => chainOf(theirs.server, theirs.ca),
      () => ({ token: ours.token }),
      /is not the one that this token is for: none of the certificates it shows is the CA that the token names/,
    ],
    [
      "a server of another CA that shows the right one too",
      () => chainOf(theirs.server, ours.ca),
      () => ({ token: ours.token }),
      /none of the certificates it shows is the CA that the token names/,
    ],
    [
      "another CA than the file's",
      tls,
      () => ({ token: SECRET, trust: createTrust({ ca: theirs.ca }) }),
      /is refused: its certificate is not signed by the CA that this side trusts \(--tls-ca/,
    ],
    [
      "a CA that nobody knows, with no file",
      tls,
      () => ({ token: `${SECRET}.tls` }),
      /is refused: its certificate is not signed by the CA that this side trusts/,
    ],
  ];
  for (const [name, server, client, reason] of REFUSALS) {
    it(`refuses ${name}`, async (test) => {
      const served = await serve(test, { tls: server() });
      await assert.rejects(connected(test, served, client()), { code: "refused", message: reason });
      assert.equal(served.calls(), 0);
    });
  }

  it("is refused with an expired certificate, one of the future, and one for other names, each by its reason", async (test) => {
    const day = 86_400_000;
    const made = [
      [await ours.issue({ names: NAMES, fromMs: -2 * day, untilMs: -day }), /its certificate has expired/],
      [await ours.issue({ names: NAMES, fromMs: day, untilMs: 2 * day }), /not valid yet; compare .* clocks/],
      [
        await ours.issue({ names: ["trainer.example", "192.0.2.7"] }),
        /its certificate is for trainer\.example, 192\.0\.2\.7, and not for 127\.0\.0\.1; .* --advertise 127\.0\.0\.1:PORT/,
      ],
    ] as const;
    for (const [certificate, message] of made) {
      const served = await serve(test, { tls: chainOf(certificate, ours.ca) });
      await assert.rejects(connected(test, served, { token: ours.token }), { code: "refused", message });
    }
  });

  it("gives a client without TLS what is missing, and a client with TLS that a server has none", async (test) => {
    const encrypted = await serve(test, { tls: tls() });
    const message = /requires TLS: use the whole token that it printed, or pass --tls-ca\.$/;
    await assert.rejects(connected(test, encrypted, { token: SECRET }), { code: "refused", message });
    const plain = await serve(test, {});
    await assert.rejects(
      connected(test, plain, { token: ours.token }),
      /does not speak TLS, and the token, or an option/,
    );
    assert.equal(encrypted.calls() + plain.calls(), 0);
  });

  it("asks a client for its certificate, if it has a CA for them", async (test) => {
    const served = await serve(test, { tls: { ...tls(), clientCa: ours.ca } });
    const withCertificate = ({ cert, key }: Certificate) => ({
      token: SECRET,
      trust: createTrust({ ca: ours.ca, cert, key }),
    });
    await assert.rejects(
      connected(test, served, { token: ours.token }),
      /it requires a client certificate; pass --tls-cert/,
    );
    const foreign = connected(test, served, { ...withCertificate(theirs.client), waitMs: 300 });
    await assert.rejects(foreign, /it hung up after the TLS handshake; the client certificate/);
    assert.equal(served.calls(), 0);
    assert.equal(await phase(test, served, withCertificate(ours.client)), "running");
  });

  it("refuses a message over the size limit", async (test) => {
    const served = await serve(test, { tls: tls() });
    const { coordinator } = await connected(test, served, { token: ours.token });
    const stop = { drain: { workerId: "x".repeat(CHUNK_PAYLOAD_BYTES_MAX + 65 * 1024) } };
    await assert.rejects(call(coordinator, coordinatorService.Control, stop, DEADLINE), { code: "exhausted" });
    assert.equal(served.calls(), 0);
  });

  it("speaks nothing older than TLS 1.3, and answers a browser with no more than a refusal", async (test) => {
    const { port } = await serve(test, { tls: tls() });
    const options = { host: "127.0.0.1", port, rejectUnauthorized: false };
    const old = connectTls({ ...options, maxVersion: "TLSv1.2" });
    const error = await new Promise<Error>((resolve) => old.once("error", resolve));
    assert.match(error.message, /protocol version/i);
    const browser = connectTls({ ...options, ALPNProtocols: ["http/1.1"] });
    browser.on("error", () => {});
    browser.write("GET / HTTP/1.1\r\nHost: localhost\r\n\r\n");
    assert.doesNotMatch(await textOf(browser), /200 OK/);
  });
});

describe("a server's limits, with TLS", () => {
  const tls = () => chainOf(ours.server, ours.ca);

  it("cuts off a handshake that does not come on", async (test) => {
    const { port } = await serve(test, { tls: tls(), limits: { handshakeMs: 50 } });
    const silent = net.connect(port, "127.0.0.1");
    assert.equal(await textOf(silent), "");
  });

  it("closes a connection on which nobody shows a token, and no other", async (test) => {
    const served = await serve(test, { tls: tls(), limits: { strangerMs: 200 } });
    const known = await connected(test, served, { token: ours.token });
    await call(known.coordinator, coordinatorService.GetStatus, {}, DEADLINE);
    const stranger = http2.connect(`https://127.0.0.1:${served.port}`, { rejectUnauthorized: false });
    stranger.on("error", () => {});
    await new Promise((resolve) => stranger.once("close", resolve));
    assert.equal((await call(known.coordinator, coordinatorService.GetStatus, {}, DEADLINE)).phase, "running");
    assert.equal(known.coordinator.getChannel().getConnectivityState(false), 2, "the known connection was never lost");
  });

  it("takes no more connections than it may, and takes one again when one has gone", async (test) => {
    const { port } = await serve(test, {
      tls: tls(),
      limits: { connectionsMax: 3, strangerMs: 60_000, handshakeMs: 60_000 },
    });
    const sockets: net.Socket[] = [];
    const open = async (): Promise<"kept" | "closed"> => {
      const socket = connectTls({ host: "127.0.0.1", port, rejectUnauthorized: false, ALPNProtocols: ["h2"] });
      sockets.push(socket);
      socket.on("error", () => {});
      return new Promise((resolve) => {
        socket.once("secureConnect", () => resolve("kept"));
        socket.once("close", () => resolve("closed"));
      });
    };
    test.after(() => {
      for (const socket of sockets) socket.destroy();
    });
    for (let i = 0; i < 3; i++) assert.equal(await open(), "kept");
    assert.equal(await open(), "closed");
    sockets[0].destroy();
    const end = performance.now() + 10_000;
    while ((await open()) === "closed") assert.ok(performance.now() < end, "a place is free again");
  });
});

/** All that comes until the other side closes. */
function textOf(socket: net.Socket): Promise<string> {
  let text = "";
  socket.on("data", (bytes) => {
    text += bytes.toString("latin1");
  });
  return new Promise((resolve) => socket.once("close", () => resolve(text)));
}
