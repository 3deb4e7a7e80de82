import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../shared/log.js";
import { superviseShards } from "./supervise-shards.js";

const log = createLog({ level: "silent", pretty: false });

/** Shards that are told where to listen, and die when the test says so. */
function supervise(options: { shards: number; portChosen: boolean; shardAddresses: (string | undefined)[] }) {
  const spawned: { index: number; port: number; die: (why: string) => void }[] = [];
  const supervisor = superviseShards({
    ...options,
    address: { host: "10.0.0.7", port: 7_400 },
    meeting: { host: "10.0.0.7", port: 7_400 },
    coordinator: { shardAddresses: options.shardAddresses },
    log,
    spawnShard({ index, listen }) {
      let die: (why: string) => void = () => {};
      const exited = new Promise<string>((resolve) => {
        die = resolve;
      });
      assert.equal(listen.host, "10.0.0.7");
      spawned.push({ index, port: listen.port, die });
      return { exited, kill: () => die("killed") };
    },
  });
  return { spawned, supervisor, ports: () => spawned.map(({ index, port }) => [index, port]) };
}

describe("superviseShards()", () => {
  it("has shards listen on the ports after one that was chosen and the dashboard's", async () => {
    const { ports, supervisor } = supervise({ shards: 4, portChosen: true, shardAddresses: [] });
    assert.deepEqual(ports(), [
      [1, 7_402],
      [2, 7_403],
      [3, 7_404],
    ]);
    await supervisor.stop();
  });

  it("lets them take any beside one that was not, and starts a dead one where it was", async () => {
    const shardAddresses: (string | undefined)[] = [":7400", undefined];
    const { spawned, ports, supervisor } = supervise({ shards: 2, portChosen: false, shardAddresses });
    assert.deepEqual(ports(), [[1, 0]]);
    shardAddresses[1] = ":40123";
    spawned[0].die("it crashed");
    while (spawned.length < 2) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(ports(), [
      [1, 0],
      [1, 40_123],
    ]);
    await supervisor.stop();
  });
});
