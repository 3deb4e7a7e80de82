import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLog } from "../shared/log.js";
import { superviseShards } from "./supervise-shards.js";

const log = createLog({ level: "silent", pretty: false });

/** Shards that listen where they are asked to, and die when the test says so. */
function supervise(options: { shards: number; portChosen: boolean; shardAddresses: (string | undefined)[] }) {
  const progress = { furthestStep: -1 };
  const spawned: { index: number; port: number; die: (why: string) => void }[] = [];
  const supervisor = superviseShards({
    ...options,
    address: { host: "10.0.0.7", port: 7_400 },
    meeting: { host: "10.0.0.7", port: 7_400 },
    coordinator: { shardAddresses: options.shardAddresses, progress },
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
  return { spawned, supervisor, progress, ports: () => spawned.map(({ index, port }) => [index, port]) };
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

  it("lets them take any port if the server's was not chosen, and starts a dead one where it was", async () => {
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

  it("gives up a shard that dies again and again while the run gets no further, with its reason", async () => {
    const { spawned, supervisor, progress } = supervise({ shards: 2, portChosen: false, shardAddresses: [] });
    const kill = async (times: number, why: string): Promise<void> => {
      for (let i = 0; i < times; i++) {
        const before = spawned.length;
        spawned.at(-1)!.die(why);
        while (spawned.length === before) await new Promise((resolve) => setImmediate(resolve));
      }
    };
    await kill(4, "it was killed");
    // A step that was never there before ends the row; the ones that it loses and does again do not.
    progress.furthestStep = 1;
    await kill(4, "it was killed");
    spawned.at(-1)!.die("no memory is left");
    await assert.rejects(supervisor.failed, { message: "Shard 1 ended 5 times in a row: no memory is left." });
    await supervisor.stop();
  });
});
