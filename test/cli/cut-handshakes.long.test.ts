/** A server, or a proxy in front of it, that hangs up in the middle of a TLS handshake: clients try again. */
import assert from "node:assert/strict";
import net, { type AddressInfo } from "node:net";
import { describe, it } from "node:test";
import { startChild } from "../../api/children/child.js";
import { createToken, formatToken } from "../../shared/credentials/index.js";
import { parseAddress } from "../../shared/wire/index.js";
import { openWorkplace } from "./isobatch.test.helper.js";

describe("a server that hangs up in every TLS handshake", { timeout: 120_000 }, () => {
  it("is retried by workers and control commands, which finally report that it can't be reached", async () => {
    let connections = 0;
    const server = net.createServer((socket) => {
      connections += 1;
      // After the client's hello has been read completely, so that the socket is closed and not reset.
      socket.once("data", () => socket.end()).on("error", () => {});
    });
    await new Promise<void>((resolve) => server.listen(0, "127.0.0.1", resolve));
    const address = `127.0.0.1:${(server.address() as AddressInfo).port}`;
    const token = formatToken({ secret: createToken(), server: { kind: "ca", digest: "A".repeat(43) } });
    const workplace = openWorkplace();
    try {
      const join = ["worker", "join", address, "--backend", "cpu", "--wait", "1"];
      const supervised = startChild({
        program: "worker",
        order: {
          ...{ address: parseAddress(address, "address"), token, backend: "cpu", connectWaitMs: 1_000 },
          ...{ computeThreads: 1, transport: "auto", logLevel: "warn" },
        },
      });
      const ends = await Promise.all([
        workplace.run(join, { ISOBATCH_TOKEN: token }),
        workplace.run(["stop", address], { ISOBATCH_TOKEN: token }),
        // Exit code 2 would keep its parent from starting it again.
        supervised.exited.then(({ code, reason }) => ({ code, stderr: reason })),
      ]);
      for (const { code, stderr } of ends) {
        assert.equal(code, 1, stderr);
        assert.match(
          stderr,
          /Cannot reach .*: (the connection was closed by the other side|it does not answer) \(tried/,
        );
      }
      assert.ok(connections > ends.length);
    } finally {
      workplace.close();
      await new Promise((resolve) => server.close(resolve));
    }
  });
});
