import assert from "node:assert/strict";
import http2 from "node:http2";
import net, { type AddressInfo } from "node:net";
import { describe, it, type TestContext } from "node:test";
import { gzipSync } from "node:zlib";
import type { handleUnaryCall, UntypedServiceImplementation } from "@grpc/grpc-js";
import { createGate, createToken, hashSecret } from "../credentials/index.js";
import { IsobatchError } from "../errors.js";
import {
  type Address,
  type Connection,
  call,
  connect,
  coordinatorService,
  createServer,
  createTrust,
  type Status,
  toStatus,
  WINDOW_BYTES,
} from "./index.js";
import { statusMessage } from "./messages/messages.test.helper.js";

const LOOPBACK: Address = { host: "127.0.0.1", port: 0 };
const DEADLINE = { deadlineMs: 5_000 };

const getStatus: handleUnaryCall<object, Status> = (_call, answer) => answer(null, statusMessage({ phase: "running" }));

async function serve(
  test: TestContext,
  handlers: UntypedServiceImplementation = { GetStatus: getStatus },
  token?: string,
): Promise<Address> {
  const server = createServer(token === undefined ? {} : { gate: gateFor(token) });
  test.after(() => server.shutdown(0));
  server.addService(coordinatorService, handlers);
  server.setServing(true);
  return server.listen(LOOPBACK);
}

function gateFor(token: string) {
  return createGate({ passes: [{ name: "test", role: "admin", hash: hashSecret(token) }] });
}

async function connected(test: TestContext, address: Address, token?: string): Promise<Connection> {
  const connection = await connect(address, { token, waitMs: 5_000 });
  test.after(() => connection.close());
  return connection;
}

/** The address of a raw TCP server that does `accept` with each connection. */
async function rawServer(test: TestContext, accept: (socket: net.Socket) => void): Promise<Address> {
  const sockets = new Set<net.Socket>();
  const server = net.createServer((socket) => {
    sockets.add(socket.on("error", () => {}));
    accept(socket);
  });
  test.after(() => {
    for (const socket of sockets) socket.destroy();
    server.close();
  });
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  return { host: "127.0.0.1", port: (server.address() as AddressInfo).port };
}

describe("createServer()", () => {
  it("answers a unary call over a real connection", async (test) => {
    const { coordinator } = await connected(test, await serve(test));
    const status = await call(coordinator, coordinatorService.GetStatus, {}, DEADLINE);
    assert.equal(status.phase, "running");
    assert.equal(status.step, 0);
  });

  it("refuses a port in use, naming it", async (test) => {
    const address = await serve(test);
    const second = createServer({});
    test.after(() => second.shutdown(0));
    await assert.rejects(second.listen(address), {
      code: "invalid_input",
      message: `Cannot listen on 127.0.0.1:${address.port}: port ${address.port} is in use; stop what listens there or choose another port.`,
    });
  });

  it("refuses an address of another machine", async (test) => {
    const server = createServer({});
    test.after(() => server.shutdown(0));
    await assert.rejects(
      server.listen({ host: "192.0.2.1", port: 0 }),
      /192\.0\.2\.1 is not an address of this machine/,
    );
  });

  it("refuses a name that cannot be looked up", async (test) => {
    const server = createServer({});
    test.after(() => server.shutdown(0));
    await assert.rejects(server.listen({ host: "nowhere.invalid", port: 0 }), /nowhere\.invalid cannot be looked up/);
  });

  it("gives HTTP/2 the window that grpc-js's own option does not", async (test) => {
    const { host, port } = await serve(test);
    const session = http2.connect(`http://${host}:${port}`);
    test.after(() => session.destroy());
    const settings = await new Promise<http2.Settings>((resolve) => session.once("remoteSettings", resolve));
    assert.equal(settings.initialWindowSize, WINDOW_BYTES);
    await until(() => session.state.remoteWindowSize === WINDOW_BYTES, "the connection's window is raised");
  });

  it("refuses a compressed message before it inflates it", async (test) => {
    const { host, port } = await serve(test);
    const session = http2.connect(`http://${host}:${port}`);
    test.after(() => session.destroy());
    const message = gzipSync(Buffer.alloc(1 << 20));
    const frame = Buffer.alloc(5 + message.length);
    frame[0] = 1;
    frame.writeUInt32BE(message.length, 1);
    message.copy(frame, 5);
    const stream = session.request({
      ":method": "POST",
      ":path": coordinatorService.GetStatus.path,
      "content-type": "application/grpc",
      "grpc-encoding": "gzip",
      te: "trailers",
    });
    stream.end(frame);
    const headers = await new Promise<http2.IncomingHttpHeaders>((resolve) => stream.once("response", resolve));
    assert.equal(headers["grpc-status"], "12");
    assert.match(String(headers["grpc-message"]), /compression-is-refused/);
  });

  it("waits for a call in flight at a shutdown, up to the grace", async (test) => {
    let answer: (() => void) | undefined;
    const server = createServer({});
    server.addService(coordinatorService, {
      GetStatus: ((_call, callback) => {
        answer = () => callback(null, statusMessage({ phase: "late" }));
      }) as typeof getStatus,
    });
    const { coordinator } = await connected(test, await server.listen(LOOPBACK));
    const response = call(coordinator, coordinatorService.GetStatus, {}, DEADLINE);
    await until(() => answer !== undefined, "the call is in flight");
    const down = server.shutdown(60_000);
    answer?.();
    assert.equal((await response).phase, "late");
    await down;
  });

  it("drops what is in flight when the grace is over", async (test) => {
    let inFlight = false;
    const server = createServer({});
    server.addService(coordinatorService, {
      GetStatus: (() => {
        inFlight = true;
      }) as typeof getStatus,
    });
    const { coordinator } = await connected(test, await server.listen(LOOPBACK));
    const response = call(coordinator, coordinatorService.GetStatus, {}, DEADLINE);
    const rejected = assert.rejects(response, { code: "unavailable" });
    await until(() => inFlight, "the call is in flight");
    await server.shutdown(1);
    await rejected;
  });

  it("answers health checks, with no token too", async (test) => {
    const address = await serve(test, undefined, createToken());
    const { coordinator } = await connected(test, address);
    const { service } = await import("grpc-health-check");
    type Check = Parameters<typeof call<{ service: string }, { status: string }>>[1];
    const check = (service as unknown as Record<string, Check>).check ?? (service as unknown as { Check: Check }).Check;
    for (const name of ["", "isobatch.v1.Coordinator"]) {
      const answer = await call(coordinator, check, { service: name }, DEADLINE);
      assert.equal(answer.status, "SERVING");
    }
  });
});

describe("the join token", () => {
  it("admits a call that carries it, and its handler runs", async (test) => {
    const token = createToken();
    const { coordinator } = await connected(test, await serve(test, undefined, token), token);
    assert.equal((await call(coordinator, coordinatorService.GetStatus, {}, DEADLINE)).phase, "running");
  });

  it("keeps a call with none, or with another one, from its handler", async (test) => {
    let calls = 0;
    const handlers = {
      GetStatus: ((_call, answer) => {
        calls++;
        answer(null, statusMessage());
      }) as typeof getStatus,
    };
    const address = await serve(test, handlers, createToken());
    const without = await connected(test, address);
    await assert.rejects(call(without.coordinator, coordinatorService.GetStatus, {}, DEADLINE), {
      code: "refused",
      message: /requires a join token: set ISOBATCH_TOKEN or pass --token-file/,
    });
    const wrong = await connected(test, address, createToken());
    await assert.rejects(call(wrong.coordinator, coordinatorService.GetStatus, {}, DEADLINE), {
      code: "refused",
      message: "The join token is not valid on this server: use the one that it printed.",
    });
    assert.equal(calls, 0);
  });

  it("is asked of streams too", async (test) => {
    const { coordinator } = await connected(test, await serve(test, {}, createToken()));
    const work = coordinator.work();
    const error = await new Promise<Error & { code: number }>((resolve) => work.once("error", resolve as () => void));
    assert.equal(error.code, 16);
  });
});

describe("call()", () => {
  it("brings a server's error over with its code and its sentence", async (test) => {
    const sentence = "workers: 0 is too few; give at least 1 (100 % sure, κ ≥ 1).";
    const { coordinator } = await connected(
      test,
      await serve(test, {
        GetStatus: ((_call, answer) => answer(toStatus(new IsobatchError("exhausted", sentence)))) as typeof getStatus,
      }),
    );
    await assert.rejects(call(coordinator, coordinatorService.GetStatus, {}, DEADLINE), {
      name: "IsobatchError",
      code: "exhausted",
      message: sentence,
    });
  });

  it("gives up at its deadline", async (test) => {
    const { coordinator } = await connected(test, await serve(test, { GetStatus: (() => {}) as typeof getStatus }));
    await assert.rejects(call(coordinator, coordinatorService.GetStatus, {}, { deadlineMs: 50 }), {
      code: "unavailable",
      message: /^GetStatus at 127\.0\.0\.1:\d+ was not answered in time\.$/,
    });
  });

  it("ends when its signal is aborted, and says so when the server is of another version", async (test) => {
    const { coordinator } = await connected(test, await serve(test, { GetStatus: (() => {}) as typeof getStatus }));
    const abort = new AbortController();
    const running = call(coordinator, coordinatorService.GetStatus, {}, { ...DEADLINE, signal: abort.signal });
    abort.abort();
    await assert.rejects(running, { code: "interrupted" });
    await assert.rejects(call(coordinator, coordinatorService.Control, {}, DEADLINE), /of another version/);
  });
});

describe("connect()", () => {
  it("says that nothing listens there", async (test) => {
    const address = await rawServer(test, () => {});
    const free = { ...address, port: await freePort() };
    await assert.rejects(connect(free, { waitMs: 300 }), {
      code: "unavailable",
      message: `Cannot reach 127.0.0.1:${free.port}: nothing listens there (connection refused) (tried for 0.3 s).`,
    });
  });

  it("waits for a server that comes later", async (test) => {
    const address = { host: "127.0.0.1", port: await freePort() };
    const connecting = connect(address, { waitMs: 10_000 });
    const server = createServer({});
    test.after(() => server.shutdown(0));
    await new Promise((resolve) => setImmediate(resolve));
    await server.listen(address);
    (await connecting).close();
  });

  it("says that a name cannot be looked up", async () => {
    await assert.rejects(connect({ host: "nowhere.invalid", port: 7400 }, { waitMs: 300 }), /cannot be looked up/);
  });

  it("says that the other side never answers", async (test) => {
    const address = await rawServer(test, () => {});
    await assert.rejects(connect(address, { waitMs: 300 }), /it does not answer/);
  });

  it("says that the other side hangs up", async (test) => {
    const address = await rawServer(test, (socket) => socket.destroy());
    await assert.rejects(connect(address, { waitMs: 300 }), /closed by the other side/);
  });

  it("says that TLS failed", async (test) => {
    const address = await serve(test);
    await assert.rejects(
      connect(address, { trust: createTrust({}), waitMs: 300 }),
      /is refused: it does not speak TLS/,
    );
  });

  it("stops when its signal is aborted", async (test) => {
    const address = await rawServer(test, () => {});
    const abort = new AbortController();
    const connecting = connect(address, { waitMs: 60_000, signal: abort.signal });
    abort.abort();
    await assert.rejects(connecting, { code: "interrupted" });
  });

  it("takes no heed of a proxy", async (test) => {
    const before = process.env.http_proxy;
    process.env.http_proxy = "http://127.0.0.1:1";
    test.after(() => {
      if (before === undefined) delete process.env.http_proxy;
      else process.env.http_proxy = before;
    });
    await connected(test, await serve(test));
  });
});

async function freePort(): Promise<number> {
  const server = net.createServer();
  await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
  const { port } = server.address() as AddressInfo;
  await new Promise((resolve) => server.close(resolve));
  return port;
}

async function until(condition: () => boolean, what: string): Promise<void> {
  const end = performance.now() + 5_000;
  while (!condition()) {
    assert.ok(performance.now() < end, `within 5 s: ${what}`);
    await new Promise((resolve) => setImmediate(resolve));
  }
}
