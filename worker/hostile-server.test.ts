/** Any process may answer at a server's address: what it sends is refused in one sentence, before it is used. */
import assert from "node:assert/strict";
import { spawn } from "node:child_process";
import { once } from "node:events";
import { describe, it, type TestContext } from "node:test";
import { fileURLToPath } from "node:url";
import { FORM } from "../compute/gradients/open-gradients.test.helper.js";
import { IsobatchError } from "../shared/errors.js";
import { checksumFor, connect, type JoinResponse, type MicroBatchLease } from "../shared/wire/index.js";
import { rowBytes } from "../tasks/index.js";
import { leaseOf } from "./fake-server.test.helper.js";
import { startWorker } from "./index.js";
import { join } from "./join.js";
import { checkEvaluation, checkLease } from "./plausible.js";
import { createBatches } from "./samples.js";
import { optionsFor, serve, workAtStart } from "./worker-at-work.test.helper.js";

const ENTRY = fileURLToPath(new URL("../cli/main.js", import.meta.url));
/** Far less than any of the attacks asks for. */
const MEMORY_BYTES_MAX = 64 * 2 ** 20;

const tensor = (fields: object): string => JSON.stringify([{ name: "a", kind: "parameter", decay: true, ...fields }]);
const form = (input: object, label: object = {}): string =>
  JSON.stringify({ input: { ...FORM.input, ...input }, label: { ...FORM.label, ...label } });

const ANSWERS: Record<string, [change: (answer: JoinResponse) => Partial<JoinResponse>, reason: RegExp]> = {
  "a layout of one endless tensor": [
    () => ({ layoutJson: tensor({ shape: [Number.MAX_SAFE_INTEGER] }) }),
    /layout has 9007199254740991 elements; at most 1073741824 are allowed/,
  ],
  "a layout of endlessly many tensors": [
    () => ({ layoutJson: `[${new Array(100_000).fill("{}").join()}]` }),
    /layout has 100000 tensors; at most 16384 are allowed/,
  ],
  "a layout without end": [() => ({ layoutJson: "[".repeat(9 * 2 ** 20) }), /layout has 9437184 characters/],
  "a topology without end": [() => ({ topologyJson: "[".repeat(9 * 2 ** 20) }), /topology has 9437184 characters/],
  "a task of endless micro-batches": [
    ({ taskJson }) => ({ taskJson: JSON.stringify({ ...JSON.parse(taskJson), microBatchSize: 1e9 }) }),
    /microBatchSize is 1000000000/,
  ],
  "a task of endless steps": [
    ({ taskJson }) => ({ taskJson: JSON.stringify({ ...JSON.parse(taskJson), microBatchesPerStep: 1e9 }) }),
    /microBatchesPerStep/,
  ],
  "samples without end": [() => ({ sampleFormJson: form({ shape: [1e9, 1e9] }) }), /its samples have the form/],
  "samples of half a number": [() => ({ sampleFormJson: form({ shape: [0.5] }) }), /its samples have the form/],
  "samples that are augmented and no images": [
    () => ({ sampleFormJson: form({ augment: "crop-flip" }) }),
    /its samples have the form/,
  ],
  "labels of endless classes": [
    () => ({ sampleFormJson: form({}, { classes: 2 ** 40 }) }),
    /its samples have the form/,
  ],
  "endless evaluation batches": [() => ({ evaluationBatches: 2 ** 32 - 1 }), /4294967295 evaluation batches/],
  "endlessly many shards": [
    () => ({
      shards: Array.from({ length: 1000 }, (_, index) => ({
        index,
        address: ":1",
        firstChunk: index,
        endChunk: index + 1,
      })),
    }),
    /it has 1000 shards; at most 256 are allowed/,
  ],
  "a name without end": [() => ({ workerId: "w".repeat(1e6) }), /a name in it has 1000000 characters/],
  "a seal without end": [() => ({ seal: Buffer.alloc(1e6) }), /its seal has 1000000 bytes/],
};

describe("join() of a hostile server", { timeout: 240_000 }, () => {
  for (const [what, [change, reason]] of Object.entries(ANSWERS)) {
    it(`refuses ${what}, and takes no memory`, async (test) => {
      const server = await serve(test);
      server.behaviour.join = (answer) => ({ ...answer, ...change(answer) });
      const connection = await connect(server.address, { waitMs: 5_000 });
      test.after(() => connection.close());
      const { signal } = new AbortController();
      const backend = {
        name: "wasm",
        numerics: { backend: "", version: "", architecture: "", flags: "" },
        device: "",
      } as const;
      const before = process.memoryUsage();
      await assert.rejects(join(connection, { backend, computeThreads: 1, runId: undefined, signal }), (error) => {
        assert.ok(error instanceof IsobatchError && error.code === "damaged", String(error));
        assert.match(error.message, /^The server's answer to Join can't be used: .*\.$/s);
        assert.match(error.message, reason);
        assert.ok(error.message.length < 1000);
        return true;
      });
      const { arrayBuffers, heapUsed } = process.memoryUsage();
      assert.ok(arrayBuffers + heapUsed - before.arrayBuffers - before.heapUsed < MEMORY_BYTES_MAX);
    });
  }
});

describe("checkLease() and checkEvaluation()", () => {
  const task = { microBatchSize: 8, microBatchesPerStep: 4, samples: 8 * 400 };
  const refused: [change: Partial<MicroBatchLease>, reason: RegExp][] = [
    [{ lo: 0, hi: 2 ** 32 - 1 }, /micro-batches 0 to 4294967294 of 4;/],
    [{ microBatches: 2 ** 32 - 1, hi: 2 ** 32 - 1 }, /a step of 4294967295 micro-batches, where at most 4 are allowed/],
    [{ lo: 3, hi: 3 }, /micro-batches 3 to 2 of 4/],
    [{ firstMicroBatch: 397 }, /micro-batch 400 of a run of 400/],
    [{ step: 2 ** 60 }, /numbers that are not whole/],
    [{ term: Number.NaN }, /numbers that are not whole/],
    [{ leafCoefficients1: [1, 1, 1] }, /3 weights for 2 micro-batches/],
    [{ leafCoefficients2: [1, Number.NaN] }, /weights that are not numbers/],
  ];
  for (const [change, reason] of refused) {
    it(`refuses a lease with ${JSON.stringify(change)}`, () => {
      assert.throws(() => checkLease({ ...leaseOf(1, 0, 2), ...change }, task), { code: "damaged", message: reason });
    });
  }

  it("lets every lease of the run through, with weights and without", () => {
    checkLease(leaseOf(0, 0, 4), task);
    checkLease({ ...leaseOf(99, 3, 4), leafCoefficients1: [0.5], leafCoefficients2: [2] }, task);
  });

  it("refuses batches that the test part does not have", () => {
    const lease = { term: 1, version: 0, firstBatch: 0, endBatch: 4 };
    checkEvaluation(lease, 4);
    for (const [change, batches] of [
      [{ endBatch: 2 ** 32 - 1 }, 4],
      [{ firstBatch: 4 }, 4],
      [{}, 0],
    ] as const) {
      assert.throws(() => checkEvaluation({ ...lease, ...change }, batches), {
        code: "damaged",
        message: /evaluation batches/,
      });
    }
  });
});

describe("createBatches()", () => {
  const PLAIN = { encrypted: false };
  const { check } = createBatches({ microBatchSize: 8, evaluationBatchSize: 8 }, FORM);
  /** A batch of this many samples, with the right bytes for `counted` of them. */
  const batch = (samples: number, counted = samples) => {
    const [inputs, labels] = [FORM.input, FORM.label].map((part) => Buffer.alloc(counted * rowBytes(part)));
    return { number: 3, samples, inputs, labels, checksum: checksumFor(PLAIN, [inputs, labels]) };
  };

  it("takes what was asked for, and a smaller last batch of the test part", () => {
    check(batch(8), "microBatch", 3, PLAIN);
    check(batch(5), "evaluation", 3, PLAIN);
  });

  it("refuses batches of other sizes, which would fill the cache beyond its bound", () => {
    for (const [kind, wrong] of [
      ["microBatch", batch(16)],
      ["microBatch", batch(7)],
      ["microBatch", batch(8, 16)],
      ["evaluation", batch(9)],
      ["evaluation", batch(0)],
    ] as const) {
      assert.throws(() => check(wrong, kind, 3, PLAIN), {
        code: "damaged",
        message: /atch 3 has \d+ samples in \d+ and/,
      });
    }
  });
});

describe("a worker of a hostile server", { timeout: 240_000 }, () => {
  it("ends with the reason when it is given a lease that no run has", async (test) => {
    const server = await serve(test);
    const worker = await workAtStart(test, server);
    server.command({ lease: { ...leaseOf(0, 0, 4), microBatches: 2 ** 32 - 1, hi: 2 ** 32 - 1 } });
    await assert.rejects(worker.finished, {
      code: "damaged",
      message:
        "The server asks for something that this run does not have: a step of 4294967295 micro-batches, where at most 4 are allowed; the worker ends.",
    });
    assert.equal(server.heard.joins.length, 1);
  });

  it("ends with the reason when the model would not fit into the machine's memory", async (test) => {
    const server = await serve(test);
    server.behaviour.join = (answer) => ({
      ...answer,
      layoutJson: tensor({ shape: [2 ** 30] }),
      shards: [{ index: 0, address: `:${server.address.port}`, firstChunk: 0, endChunk: 8192 }],
    });
    await assert.rejects(startWorker(optionsFor(server, { computeThreads: 256 })), {
      code: "exhausted",
      message:
        /^A model of 1073741824 weights needs at least 3076\.0 GiB with 256 compute threads, but only .* GiB of memory is available;/,
    });
  });

  /** The program itself, joining. */
  function program(test: TestContext, address: string) {
    const child = spawn(
      process.execPath,
      [ENTRY, "worker", "join", address, "--backend", "cpu", "--compute-threads", "1"],
      {
        env: { ...process.env, ISOBATCH_TOKEN: `isobatch_${"x".repeat(43)}` },
        stdio: ["ignore", "ignore", "pipe"],
      },
    );
    test.after(() => child.kill("SIGKILL"));
    let said = "";
    child.stderr.setEncoding("utf8").on("data", (text) => {
      said += text;
    });
    return { child, said: () => said };
  }

  it("ends the program with one sentence when its layout has no end", async (test) => {
    const server = await serve(test);
    server.behaviour.join = (answer) => ({ ...answer, layoutJson: tensor({ shape: [Number.MAX_SAFE_INTEGER] }) });
    const { child, said } = program(test, `127.0.0.1:${server.address.port}`);
    const [code] = await once(child, "exit");
    assert.equal(code, 1, said());
    const sentence = said().trim().split("\n").at(-1);
    assert.match(sentence!, /The server's answer to Join can't be used: .* at most 1073741824 are allowed\.$/);
  });

  it("ends at SIGTERM while endless commands arrive", async (test) => {
    const server = await serve(test);
    const { child, said } = program(test, `127.0.0.1:${server.address.port}`);
    await server.until(() => server.heard.reports.some(({ attach }) => attach), "it has joined");
    let flooding = true;
    const flood = (): void => {
      for (let i = 0; i < 100; i++) server.command({ term: { term: 2, version: 0 } });
      if (flooding) setImmediate(flood);
    };
    flood();
    child.kill("SIGTERM");
    const [code, signal] = await once(child, "exit");
    flooding = false;
    assert.equal(signal, null, said());
    assert.equal(code, 0, said());
  });
});
