/** A whole server behind its gRPC services, with clients that are not what they should be. */
import assert from "node:assert/strict";
import { readdirSync } from "node:fs";
import { before, describe, it, type TestContext } from "node:test";
import { credentials } from "@grpc/grpc-js";
import { sendToken } from "../shared/credentials/index.js";
import { layoutFromJson } from "../shared/layout/index.js";
import {
  CHUNK_PAYLOAD_BYTES_MAX,
  type Connection,
  CoordinatorClient,
  call,
  cancel,
  coordinatorService,
  type FetchSamplesRequest,
  readMessages,
  type WorkerReportMessage,
} from "../shared/wire/index.js";
import { FETCH, WATCH } from "../shared/wire/messages/messages.test.helper.js";
import type { Task } from "../tasks/index.js";
import {
  CALL,
  connectTo,
  joinRequest,
  KAPPA,
  leasePush,
  type MadeUpOptions,
  push,
  serve,
  smallTask,
  type TestServer,
  TOKEN,
  temporaryFolder,
  work,
} from "./test-server.test.helper.js";

const STEPS = 6;
let task: Task;
/** The stateHash of the run that nobody disturbs. */
let undisturbed: string;

before(async () => {
  task = await smallTask(STEPS);
});

/** Reads a stream to its end. */
async function all(stream: Parameters<typeof readMessages>[0]): Promise<unknown[]> {
  const messages: unknown[] = [];
  for await (const message of readMessages(stream, { what: "The stream", stallMs: 10_000 })) messages.push(message);
  return messages;
}

/** protobuf.js takes it as a string: no number of JavaScript is that large and exact. */
const LARGEST_UINT64 = "18446744073709551615" as unknown as number;
const DIVERGED = { nonFinite: true, transient: false };

/** Says these things on Work, and reads it to its end. */
function sayOnWork({ coordinator }: Pick<Connection, "coordinator">, reports: readonly WorkerReportMessage[]) {
  const stream = coordinator.work();
  for (const report of reports) stream.write(report);
  stream.end();
  return all(stream);
}

/** Joins, and asks for samples. */
async function fetchAs({ coordinator }: Connection, request: Partial<FetchSamplesRequest>): Promise<unknown[]> {
  const { workerId, seal } = await call(coordinator, coordinatorService.Join, joinRequest(), CALL);
  return all(coordinator.fetchSamples({ ...FETCH, workerId, seal, ...request }));
}

/** Finishes the run of a server with one more worker. */
async function finishWith(test: TestContext, server: TestServer, options?: MadeUpOptions) {
  const worker = await work(test, server.address, options);
  const { summary } = await server.finished;
  assert.equal(await worker.ended, "complete");
  assert.equal(summary.steps, STEPS);
  return summary;
}

/** A whole run, in which `during` happens before there is a worker. */
async function finish(test: TestContext, during: (server: TestServer) => Promise<void>) {
  const server = await serve(test, { task });
  await during(server);
  return { summary: await finishWith(test, server), server };
}

describe("startServer()", { timeout: 120_000 }, () => {
  it("trains with any workers that join, and ends in order", async (test) => {
    const { summary, server } = await finish(test, async () => {});
    undisturbed = summary.stateHash;
    assert.match(undisturbed, /^[0-9a-f]{64}$/);
    const left = server.log.filter((line) => line.includes("a worker has left"));
    assert.equal(left.length, 1);
    assert.match(left[0], /"reason":"the run has ended"/);
    assert.deepEqual(
      readdirSync(server.out).filter((name) => name.startsWith("lock") || name.endsWith(".tmp")),
      [],
    );
  });

  it("gives a worker of the run that returns too late the run's end, and refuses others", async (test) => {
    const server = await serve(test, { task, stay: true });
    const worker = await work(test, server.address);
    assert.equal(await worker.ended, "complete");
    const { coordinator } = await connectTo(test, server.address, TOKEN);
    const joinAgain = (runId: string) => call(coordinator, coordinatorService.Join, joinRequest({ runId }), CALL);
    assert.deepEqual((await joinAgain(server.runId)).ended, { ok: true, reason: "the run has ended" });
    await assert.rejects(joinAgain(""), { code: "unavailable", message: "The run has ended." });
  });

  it("has the same bits with four workers", async (test) => {
    const server = await serve(test, { task, workersAwaited: 4 });
    const workers = await Promise.all(Array.from({ length: 4 }, () => work(test, server.address)));
    const { summary } = await server.finished;
    assert.equal(summary.stateHash, undisturbed);
    for (const { leases } of workers) assert.ok(leases.length > 0);
  });

  type Ask = (connection: Connection, server: TestServer, test: TestContext) => Promise<unknown>;
  const REFUSALS: [name: string, ask: Ask, code: string, reason: RegExp][] = [
    [
      "a worker of another version",
      ({ coordinator }) => call(coordinator, coordinatorService.Join, joinRequest({ version: "0.0.7" }), CALL),
      "refused",
      /The worker is Isobatch 0\.0\.7, the server is [\d.]+; install the same on both/,
    ],
    [
      "a worker without a numerics class",
      ({ coordinator }) => call(coordinator, coordinatorService.Join, joinRequest({ numerics: undefined }), CALL),
      "invalid_input",
      /must say which numerics class/,
    ],
    [
      "an unknown worker on Work",
      (connection) => sayOnWork(connection, [{ attach: { workerId: "nobody-9" } }]),
      "refused",
      /No worker "nobody-9" has joined/,
    ],
    [
      "one that does not say who it is on Work",
      (connection) => sayOnWork(connection, [{ heartbeat: {} }]),
      "invalid_input",
      /first report on Work must be attach/,
    ],
    [
      "a Work stream that says nothing",
      (connection) => sayOnWork(connection, []),
      "invalid_input",
      /first report on Work must be attach/,
    ],
    [
      "a second stream of one worker",
      async (connection) => {
        const { workerId } = await call(connection.coordinator, coordinatorService.Join, joinRequest(), CALL);
        const first = connection.coordinator.work();
        first.on("error", () => {});
        first.write({ attach: { workerId } });
        await new Promise((resolve) => first.once("data", resolve));
        try {
          await sayOnWork(connection, [{ attach: { workerId } }]);
        } finally {
          cancel(first);
        }
      },
      "refused",
      /No worker "tester-\d+" has joined and is yet to open its stream/,
    ],
    [
      "an evaluation batch that is not there",
      (connection) => fetchAs(connection, { evaluation: true, first: 1, count: 2 }),
      "refused",
      /There is no evaluation batch 2; the run has 2, counted from 0/,
    ],
    [
      "a micro-batch beyond the run",
      (connection) => fetchAs(connection, { evaluation: false, first: STEPS * KAPPA - 1, count: 2 }),
      "refused",
      /There is no micro-batch 24; the run has 24/,
    ],
    [
      "micro-batches of a step beyond the run",
      (connection) => fetchAs(connection, { evaluation: false, first: 1, count: 2, every: KAPPA, times: STEPS + 1 }),
      "refused",
      /There is no micro-batch 24; the run has 24/,
    ],
    [
      "a micro-batch that no number can name",
      (connection) => fetchAs(connection, { evaluation: false, first: LARGEST_UINT64, count: 1 }),
      "refused",
      /There is no micro-batch \d+/,
    ],
    [
      "too many batches at once",
      (connection) => fetchAs(connection, { evaluation: false, first: 0, count: 4_294_967_295 }),
      "invalid_input",
      /count is 4294967295; at most 4096/,
    ],
    [
      "a shard that the run has no place for",
      async (_connection, server, test) => {
        const { coordinator } = await connectTo(test, server.address, server.security.passFor("shards", "shard"));
        const stream = coordinator.serve();
        stream.write({ hello: { index: 7, version: joinRequest().version } });
        stream.end();
        return all(stream);
      },
      "refused",
      /This run has no shard 7 for another process; it has 1/,
    ],
    [
      "a shard of another version",
      async (_connection, server, test) => {
        const { coordinator } = await connectTo(test, server.address, server.security.passFor("shards", "shard"));
        const stream = coordinator.serve();
        stream.write({ hello: { index: 1, version: "0.0.7" } });
        stream.end();
        return all(stream);
      },
      "refused",
      /Shard 1 is Isobatch 0\.0\.7/,
    ],
    [
      "a request to Control that asks for nothing",
      ({ coordinator }) => call(coordinator, coordinatorService.Control, {}, CALL),
      "invalid_input",
      /The request is empty; say stop, checkpoint or drain/,
    ],
    [
      "to drain a worker that is not there",
      ({ coordinator }) => call(coordinator, coordinatorService.Control, { drain: { workerId: "nobody-9" } }, CALL),
      "refused",
      /There is no worker "nobody-9"; there is none/,
    ],
  ];
  for (const [name, ask, code, reason] of REFUSALS) {
    it(`refuses ${name} with the reason, and trains on to the same bits`, async (test) => {
      const { summary, server } = await finish(test, async (running) => {
        const connection = await connectTo(test, running.address, TOKEN);
        await assert.rejects(ask(connection, running, test), (error: { code?: string; message?: string }) => {
          assert.match(String(error.message), reason);
          assert.equal(error.code, code);
          return true;
        });
      });
      assert.equal(summary.stateHash, undisturbed);
      assert.deepEqual(
        server.log.filter((line) => line.includes("a handler failed")),
        [],
      );
    });
  }

  for (const [name, token, reason] of [
    ["without a token", undefined, /This server requires a join token/],
    ["with a wrong token", `${TOKEN}x`, /The join token is not valid on this server/],
  ] as const) {
    it(`refuses every call ${name}, and gives no byte of samples or weights`, async (test) => {
      const { summary } = await finish(test, async ({ address }) => {
        const { coordinator, shard } = await connectTo(test, address, token);
        const unary = [
          () => call(coordinator, coordinatorService.Join, joinRequest(), CALL),
          () => call(coordinator, coordinatorService.GetStatus, {}, CALL),
          () => call(coordinator, coordinatorService.Control, { stop: {} }, CALL),
          () => push({ shard }, [{}]),
        ];
        for (const ask of unary) await assert.rejects(ask(), { code: "refused", message: reason });
        const streams = {
          Work: () => coordinator.work(),
          Serve: () => coordinator.serve(),
          FetchSamples: () => coordinator.fetchSamples({ ...FETCH, workerId: "x" }),
          WatchMetrics: () => coordinator.watchMetrics({ fromLine: 0 }),
          WatchWeights: () => shard.watchWeights({ ...WATCH, workerId: "x", term: 1 }),
        };
        for (const [method, open] of Object.entries(streams)) {
          let received = 0;
          const stream = open();
          stream.on("data", () => received++);
          await new Promise<void>((resolve) => stream.on("error", () => resolve()));
          assert.equal(received, 0, method);
        }
      });
      assert.equal(summary.stateHash, undisturbed);
    });
  }

  it("refuses a message over the size limit, and trains on to the same bits", async (test) => {
    const { summary } = await finish(test, async ({ address }) => {
      const coordinator = new CoordinatorClient(`127.0.0.1:${address.port}`, credentials.createInsecure(), {
        "grpc.max_send_message_length": -1,
        interceptors: [sendToken(TOKEN)],
      });
      test.after(() => coordinator.close());
      const reason = "x".repeat(CHUNK_PAYLOAD_BYTES_MAX + 100_000);
      await assert.rejects(sayOnWork({ coordinator }, [{ leaving: { reason } }]), { code: "exhausted" });
    });
    assert.equal(summary.stateHash, undisturbed);
  });

  it("takes no push of a lease that is another worker's, in mid-run, and comes to the same bits", async (test) => {
    const server = await serve(test, { task });
    const thief = await connectTo(test, server.address, TOKEN);
    let stolen = 0;
    const worker = await work(test, server.address, {
      async onLease(lease) {
        const layout = layoutFromJson(worker.joined.layoutJson);
        const joined = await call(thief.coordinator, coordinatorService.Join, joinRequest({ host: "thief" }), CALL);
        const messages = leasePush(joined, layout, lease);
        await assert.rejects(push(thief, messages), /worker thief-\d+ has no such lease/);
        stolen++;
      },
    });
    const { summary } = await server.finished;
    assert.ok(stolen >= STEPS);
    assert.equal(summary.stateHash, undisturbed);
  });

  it("goes back when the only worker goes with a step applied in part, and comes to the same bits", async (test) => {
    const server = await serve(test, { task });
    const pusher = await connectTo(test, server.address, TOKEN);
    const going = await work(test, server.address, {
      async onLease(lease) {
        if (lease.step < 3) return;
        const messages = leasePush(going.joined, layoutFromJson(going.joined.layoutJson), lease);
        await push(
          pusher,
          messages.filter(({ lease, chunk }) => lease || chunk?.chunk === 0),
        );
        throw new Error("gone");
      },
    });
    await assert.rejects(going.ended, /gone/);
    assert.equal(going.leases.at(-1)?.step, 3);
    // Version 3 is no longer available.
    const { stateHash, recomputedSteps } = await finishWith(test, server, { holds: (term) => term > 1 });
    assert.equal(stateHash, undisturbed);
    assert.equal(recomputedSteps, 3);
    assert.ok(server.log.some((line) => /step 3 is applied in part/.test(line)));
  });

  it("does not mind a worker that says what is not so", async (test) => {
    const server = await serve(test, { task, workersAwaited: 2 });
    const liar = await work(test, server.address);
    const many = new Array<number>(1_000).fill(Number.NaN);
    const lies: WorkerReportMessage[] = [
      { weightsHeld: { term: 99, version: 99 } },
      { leaseComputed: { lease: 12_345, computeMs: -1, samplesMs: -1 } },
      { leaseFailed: { lease: 12_345, microBatch: 5, reason: "no reason", ...DIVERGED } },
      { leaseFailed: { lease: 12_345, microBatch: 5, reason: "no reason", ...DIVERGED } },
      {
        evaluated: {
          term: 1,
          version: 77,
          firstBatch: 4_000_000_000,
          lossSums: many,
          correct: [],
          failed: "",
          transient: false,
        },
      },
      { attach: { workerId: "somebody-else" } },
      {},
    ];
    for (const lie of lies) await liar.report(lie);
    await work(test, server.address);
    const { summary } = await server.finished;
    assert.equal(summary.stateHash, undisturbed);
  });

  it("does not take a worker's word that a micro-batch diverges which it was not given", async (test) => {
    const server = await serve(test, { task });
    const worker = await work(test, server.address, {
      async onLease({ lease }) {
        await worker.report({ leaseFailed: { lease, microBatch: LARGEST_UINT64, reason: "it says so", ...DIVERGED } });
      },
    });
    const summary = await finishWith(test, server);
    assert.equal(summary.stateHash, undisturbed);
  });

  it("takes one numerics class, its first worker's, and any if the task is mixed: then the bits are not exact", async (test) => {
    const other = { backend: "another", version: "1", architecture: "none", flags: "" };
    const strict = await serve(test, { task });
    const connection = await connectTo(test, strict.address, TOKEN);
    await call(connection.coordinator, coordinatorService.Join, joinRequest(), CALL);
    await assert.rejects(
      call(connection.coordinator, coordinatorService.Join, joinRequest({ numerics: other }), CALL),
      {
        code: "refused",
        message: /another numerics class \(another 1 none\) than this run \(made-up 1 none\)/,
      },
    );
    const exact = await finishWith(test, strict);
    assert.equal(exact.bitExact, true);

    // A backend's class is extended by the task's precision.
    const rounding = await serve(test, { task: { ...task, precision: "bfloat16" } });
    await work(test, rounding.address);
    const { numerics } = await finishWith(test, rounding);
    assert.equal(numerics?.flags, "bfloat16 products");

    const mixed = await serve(test, { task: { ...task, mixed: true }, workersAwaited: 2 });
    await work(test, mixed.address);
    await work(test, mixed.address, { request: { numerics: other } });
    const { summary } = await mixed.finished;
    assert.equal(summary.bitExact, false);
    assert.equal(summary.stateHash, undisturbed);
  });

  it("refuses a folder that another server has, or that holds another run, and leaves it as it was", async (test) => {
    const out = temporaryFolder(test);
    const first = await serve(test, { task, out });
    await assert.rejects(serve(test, { task, out }), { code: "refused", message: /is in use by process \d+/ });
    await work(test, first.address);
    const { summary } = await first.finished;
    const files = readdirSync(out, { recursive: true }).sort();
    await assert.rejects(serve(test, { task: { ...task, seed: 1 }, out }), {
      code: "invalid_input",
      message:
        /holds a run of task "mnist" that this one can't continue: seed is 1 here and 0 there\. Use the same values/,
    });
    assert.deepEqual(readdirSync(out, { recursive: true }).sort(), files);
    const again = await serve(test, { task, out });
    assert.equal(again.resumed, true);
    assert.equal((await finishWith(test, again)).stateHash, summary.stateHash);
  });
});
