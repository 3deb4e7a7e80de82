import assert from "node:assert/strict";
import { describe, it, type TestContext } from "node:test";
import { batchOf, FORM } from "../compute/gradients/open-gradients.test.helper.js";
import { IsobatchError } from "../shared/errors.js";
import { connect } from "../shared/wire/index.js";
import { type FakeServer, startFakeServer } from "./fake-server.test.helper.js";
import { createBatches, createRemoteSamples, type Samples } from "./samples.js";

interface Scene {
  readonly server: FakeServer;
  readonly samples: Samples;
  /** The same batches over a further connection of the same worker's. */
  readonly reconnect: () => Samples;
  readonly asked: () => unknown[];
}

async function open(test: TestContext): Promise<Scene> {
  const server = await startFakeServer();
  const connection = await connect(server.address, { waitMs: 5_000 });
  const batches = createBatches(server.task, FORM);
  const reconnect = () => createRemoteSamples({ connection, workerId: "w1", seal: Buffer.from("seal"), batches });
  const samples = reconnect();
  test.after(() => {
    void samples.close();
    connection.close();
    return server.close();
  });
  const asked = () => server.heard.fetches.map(({ evaluation, first, count }) => [evaluation, first, count]);
  return { server, samples, reconnect, asked };
}

describe("createRemoteSamples()", { timeout: 20_000 }, () => {
  it("brings the bytes that the server has, of micro-batches and of evaluation batches", async (test) => {
    const { samples, asked } = await open(test);
    samples.prefetch("microBatch", 4, 6);
    const [five, two] = await Promise.all([samples.microBatch(5), samples.evaluationBatch(2)]);
    for (const [batch, number] of [[five, 5] as const, [two, 2] as const]) {
      const expected = batchOf(number);
      assert.deepEqual(
        [batch.samples, Buffer.from(batch.inputs), Buffer.from(batch.labels)],
        [8, Buffer.from(expected.inputs), Buffer.from(expected.labels)],
      );
    }
    assert.deepEqual(asked(), [
      [false, 4, 2],
      [true, 2, 1],
    ]);
  });

  it("asks once more for what came damaged, from there on, and gives up when it is damaged again", async (test) => {
    const { server, samples, asked } = await open(test);
    let damages = 1;
    server.behaviour.fetch = async () => ({ damaged: damages-- > 0 });
    assert.equal((await samples.microBatch(3)).samples, 8);
    damages = 2;
    await assert.rejects(samples.microBatch(4), {
      code: "damaged",
      message: /^Micro-batch 4 came damaged: its checksum is /,
    });
    await samples.microBatch(4);
    assert.deepEqual(
      asked().map((request) => (request as number[])[1]),
      [3, 3, 4, 4, 4],
    );
  });

  it("keeps what has come for the next connection, which asks for the rest", async (test) => {
    const { server, samples, reconnect, asked } = await open(test);
    server.behaviour.samples = (number) => {
      if (number === 2) throw new IsobatchError("unavailable", "The line is dead.");
      return batchOf(number);
    };
    samples.prefetch("evaluation", 0, 4);
    await samples.evaluationBatch(1);
    await samples.close();
    server.behaviour.samples = batchOf;
    const again = reconnect();
    again.prefetch("evaluation", 0, 4);
    for (const number of [0, 1, 2, 3]) {
      assert.deepEqual(Buffer.from((await again.evaluationBatch(number)).inputs), Buffer.from(batchOf(number).inputs));
    }
    assert.deepEqual(asked(), [
      [true, 0, 4],
      [true, 2, 2],
    ]);
  });

  it("leaves nothing that was on the way over the last connection for the next one to wait for", async (test) => {
    const { server, samples, reconnect, asked } = await open(test);
    server.behaviour.fetch = () => new Promise(() => {});
    samples.prefetch("microBatch", 0, 2);
    await server.until(() => server.heard.fetches.length === 1, "the server was asked");
    await samples.close();
    server.behaviour.fetch = async () => ({ damaged: false });
    const again = reconnect();
    again.prefetch("microBatch", 0, 2);
    await again.microBatch(1);
    assert.deepEqual(asked(), [
      [false, 0, 2],
      [false, 0, 2],
    ]);
  });

  it("fetches its share of the coming steps in one call, behind what was asked for before", async (test) => {
    const { server, samples } = await open(test);
    for (let step = 1; step <= 3; step++) samples.prefetchSteps({ first: 4 * step + 1, count: 2, every: 4, end: 18 });
    samples.prefetch("microBatch", 1, 3);
    for (const number of [1, 5, 6, 9, 10, 13, 14, 17]) {
      assert.deepEqual(Buffer.from((await samples.microBatch(number)).inputs), Buffer.from(batchOf(number).inputs));
    }
    assert.deepEqual(
      server.heard.fetches.map(({ first, count, every, times }) => [first, count, every, times]),
      [
        [1, 2, 0, 1],
        [5, 2, 0, 1],
        [9, 2, 4, 2],
        [17, 1, 0, 1],
      ],
    );
  });

  it("ends what is on the way when it is closed", async (test) => {
    const { server, samples } = await open(test);
    server.behaviour.fetch = () => new Promise(() => {});
    const waiting = assert.rejects(samples.microBatch(0), { code: "interrupted" });
    await server.until(() => server.heard.fetches.length === 1, "the server was asked");
    await samples.close();
    await waiting;
  });
});
