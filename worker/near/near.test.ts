/** How a worker shares memory with a shard that the test plays. */
import assert from "node:assert/strict";
import {
  chmodSync,
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  truncateSync,
  writeSync,
} from "node:fs";
import { join } from "node:path";
import { after, describe, it, type TestContext } from "node:test";
import { createWorkerMemory } from "../../compute/index.js";
import { createLayout } from "../../shared/layout/index.js";
import { createLog } from "../../shared/log.js";
import { makeMappingInstallation } from "../../shared/native/file-mapper.test.helper.js";
import type { FileMapper } from "../../shared/native/process-addon.js";
import {
  leaveSecret,
  makeFile,
  makeOwnFolder,
  makeSequence,
  memoryFolderOf,
  NearError,
  slotShapes,
  slotsFile,
  sumsAt,
  thetaFile,
  wholePages,
} from "../../shared/near/index.js";
import {
  connect,
  createHandlers,
  createServer,
  createWriter,
  type NearEvent,
  type NearRequest,
  readMessages,
  shardService,
} from "../../shared/wire/index.js";
import type { StepLease } from "../core/index.js";
import type { PushRequest } from "../push.js";
import type { ShardLink } from "../shard-link.js";
import { createNear, createNearMemory } from "./index.js";

const LAYOUT = createLayout([{ name: "a/kernel", shape: [50, 400], kind: "parameter", decay: true }]);
const [SHAPE] = slotShapes(LAYOUT);
const BYTES = 4 * LAYOUT.length;
const PATIENCE_MS = 20_000;

const installation = makeMappingInstallation();
after(() => installation?.remove());

/** What a system does that has no more room for mappings. */
const refusing: FileMapper = {
  map() {
    throw new Error("the file can't be mapped: Cannot allocate memory");
  },
  unmap() {},
  lost: () => false,
};

interface PlayOptions {
  readonly mapper?: FileMapper;
  readonly required?: boolean;
  /** Is done to the shard's folder before the worker looks at it. */
  readonly spoil?: (folder: string) => void;
  /** What the shard answers to hello, instead of a welcome. */
  readonly greet?: (send: (event: NearEvent) => void) => void;
}

/** A shard with its own folder, and a worker's memories. */
async function play(test: TestContext, { mapper, required = false, spoil, greet }: PlayOptions = {}) {
  const root = mkdtempSync(join(memoryFolderOf({}), "isobatch-worker-"));
  const own = await makeOwnFolder(root);
  leaveSecret(own.path);
  const sequence = makeSequence({ memoryFolder: root, folder: own.path, mapper: undefined });
  const file = makeFile(root, join(own.path, thetaFile(0)), wholePages(BYTES));
  spoil?.(own.path);
  const { bidi } = createHandlers(() => {});
  const requests: NearRequest[] = [];
  const heard: string[] = [];
  let send: (event: NearEvent) => void;
  let calls = 0;
  const server = createServer();
  server.addService(shardService, {
    Near: bidi<NearRequest, NearEvent>(async (call) => {
      calls += 1;
      const writer = createWriter<NearEvent>(call, { stallMs: PATIENCE_MS, what: "Near" });
      send = (event) => void writer.write(event).catch(() => {});
      send({ invitation: { memory: own.name } });
      for await (const request of readMessages(call, { what: "Near" })) {
        if (request.hello == null) requests.push(request);
        else if (greet === undefined) send({ welcome: {} });
        else return greet(send);
      }
    }),
  });
  const address = await server.listen({ host: "127.0.0.1", port: 0 });
  const connection = await connect(address, { waitMs: PATIENCE_MS });
  const link = { firstChunk: 0, endChunk: LAYOUT.chunks.length, name: "shard 0", connection: async () => connection };
  const memory = createWorkerMemory({ layout: LAYOUT, threads: 1, leaves: 4 });
  const shared = createNearMemory({ folder: root, mapper, required });
  const log = createLog({ level: "silent", pretty: false });
  const near = createNear({
    shared,
    runId: "a run",
    workerId: "w-1",
    seal: new Uint8Array(32),
    memory,
    log,
    links: [link as unknown as ShardLink],
    onWeights: (_, { version }) => heard.push(`weights ${version}`),
    onTransport: (transport) => heard.push(transport),
  });
  const leaving = new AbortController();
  test.after(async () => {
    leaving.abort();
    connection.close();
    await server.shutdown(0);
    shared.close();
    sequence.close();
    own.close();
    rmSync(root, { recursive: true, force: true });
  });
  return {
    root,
    sequence,
    memory,
    near,
    requests,
    heard,
    calls: () => calls,
    open: () => near.open(0, leaving.signal),
    /** θ of these numbers. */
    write: (value: number) =>
      writeSync(file, new Uint8Array(new Float32Array(LAYOUT.length).fill(value).buffer), 0, BYTES, 0),
    send: (event: NearEvent) => send(event),
    theta: () => new Float32Array(memory.memories[0].buffer, 0, LAYOUT.length),
  };
}

async function until(condition: () => boolean): Promise<void> {
  const end = performance.now() + PATIENCE_MS;
  while (!condition()) {
    if (performance.now() > end) throw new Error("it does not come");
    await new Promise((resolve) => setImmediate(resolve));
  }
}

for (const mapper of [installation?.mapper, undefined]) {
  const how = mapper === undefined ? "copies" : "maps";
  describe(`a worker that ${how} what a shard shares`, {
    timeout: 60_000,
    skip: how === "maps" && installation === undefined,
  }, () => {
    it("has the weights of a version only if they have not moved since they were announced", async (test) => {
      const shard = await play(test, { mapper });
      const session = (await shard.open())!;
      assert.deepEqual(shard.heard, [how === "maps" ? "memory" : "copied"]);
      shard.sequence.moves();
      shard.write(1);
      const first = shard.sequence.settle();
      const movedOf = (sequence: number): number[] => shard.near.fetch(new Map([[0, sequence]]))();
      assert.deepEqual(movedOf(first), [0], "not announced yet");
      shard.send({ weights: { term: 1, version: 5, sequence: first } });
      await until(() => shard.heard.includes("weights 5"));
      const moved = shard.near.fetch(new Map([[0, first]]));
      assert.deepEqual(moved(), []);
      assert.ok(shard.theta().every((x) => x === 1));
      // The next step starts while the threads copy.
      shard.sequence.moves();
      assert.deepEqual(moved(), [0]);
      shard.write(2);
      const second = shard.sequence.settle();
      assert.deepEqual(moved(), [0], "of another version now");
      assert.deepEqual(movedOf(second), [0], "not announced yet");
      shard.send({ weights: { term: 1, version: 6, sequence: second } });
      await until(() => shard.heard.includes("weights 6"));
      assert.deepEqual(movedOf(first), [0]);
      const latest = shard.near.fetch(new Map([[0, second]]));
      assert.deepEqual(latest(), []);
      assert.ok(shard.theta().every((x) => x === 2));
      await session.close();
      // As where a session that is given up ends, and then its stream.
      await session.close();
      assert.deepEqual(latest(), [0], "the shard is gone");
      assert.deepEqual(movedOf(second), [0]);
      assert.equal(shard.near.session(0), undefined);
    });

    it("takes a shard whose sequence can no longer be read for one that is gone", async (test) => {
      const shard = await play(test, { mapper });
      const session = (await shard.open())!;
      const standing = shard.sequence.settle();
      shard.send({ weights: { term: 1, version: 5, sequence: standing } });
      await until(() => shard.heard.includes("weights 5"));
      const moved = shard.near.fetch(new Map([[0, standing]]));
      session.theta.sequence = () => {
        throw new NearError("the file was cut off");
      };
      assert.deepEqual(moved(), [0]);
      await session.ended;
      await session.close();
      assert.equal(shard.near.session(0), undefined);
    });

    it("leaves its sums where the shard finds them", async (test) => {
      const shard = await play(test, { mapper });
      const session = (await shard.open())!;
      const slots = await shard.memory.takeSlots(2);
      const push = pushOf(slots.map((slot, i) => ({ lo: 2 * i, hi: 2 * i + 2, slot })));
      for (const [i, slot] of slots.entries()) {
        for (const chunk of LAYOUT.chunks) {
          for (const sum of ["s1", "s2"] as const) {
            const bytes = shard.memory.sums(slot, sum, chunk);
            new Float32Array(bytes.buffer, bytes.byteOffset, chunk.length).fill(10 * (i + 1) + (sum === "s1" ? 1 : 2));
          }
        }
      }
      assert.ok(session.canPush(push));
      const answered = session.push(push, true);
      await until(() => shard.requests.some((request) => request.push != null));
      const [announced, pushed] = shard.requests;
      assert.deepEqual(announced.slots, { slots: 2 });
      assert.deepEqual(pushed.push!.nodes, push.computed.nodes);
      assert.ok(pushed.push!.lend);
      const file = readSlots(shard.root);
      for (const [i, slot] of slots.entries()) {
        for (const [k, sum] of (["s1", "s2"] as const).entries()) {
          const at = sumsAt(SHAPE, slot, sum, LAYOUT.chunks[1]);
          assert.equal(file.readFloatLE(at), 10 * (i + 1) + 1 + k);
        }
      }
      shard.send({ answer: { lease: 3, accepted: 2, dropped: 0, lent: true, refused: "" } });
      assert.equal((await answered).lent, true);
      const broken = session.push(push, true);
      await session.close();
      await assert.rejects(broken, { code: "unavailable" });
      assert.ok(!session.canPush(push));
    });
  });
}

describe("a worker that can share no memory with a shard", { timeout: 60_000 }, () => {
  const CASES: [name: string, options: PlayOptions, transport: string][] = [
    ["whose folder is open to others", { spoil: (folder) => chmodSync(folder, 0o755) }, "wire"],
    ["whose secret is gone", { spoil: (folder) => rmSync(join(folder, "secret")) }, "wire"],
    ["whose weights are cut off", { spoil: (folder) => truncateSync(join(folder, thetaFile(0)), 10) }, "wire"],
    ["whose folder is gone", { spoil: (folder) => rmSync(folder, { recursive: true }) }, "wire"],
    ["that ends the call instead of a welcome", { greet: () => {} }, "wire"],
  ];
  for (const [name, options, transport] of CASES) {
    it(`uses the wire with one ${name}`, async (test) => {
      const shard = await play(test, options);
      assert.equal(await shard.open(), undefined);
      assert.deepEqual(shard.heard, [transport]);
    });
  }

  it("uses the wire where the system refuses to map the files", async (test) => {
    const shard = await play(test, { mapper: refusing });
    assert.equal(await shard.open(), undefined);
    assert.deepEqual(shard.heard, ["wire"]);
  });

  it("continues with the slots that it shares once the memory folder is gone", async (test) => {
    const shard = await play(test);
    const session = (await shard.open())!;
    const shared = shard.memory.slots;
    rmSync(shard.root, { recursive: true });
    const slots = await shard.memory.takeSlots(shared + 1);
    const [first, last] = [slots[0], slots.at(-1)!].map((slot) => pushOf([{ lo: 0, hi: 1, slot }]));
    assert.deepEqual([session.canPush(first), session.canPush(last)], [shared > 0, false]);
  });

  it("ends with the reason if sharing is required", async (test) => {
    const spoil = (folder: string): void => rmSync(join(folder, "secret"));
    const shard = await play(test, { spoil, required: true });
    await assert.rejects(shard.open(), {
      code: "invalid_input",
      message:
        "--transport is memory, but this worker can share none with shard 0: there is no such file or folder; choose auto or wire.",
    });
  });

  it("shares none while sums in memory that is not shared are being pushed", async (test) => {
    const shard = await play(test);
    await shard.memory.takeSlots(1);
    assert.equal(await shard.open(), undefined);
  });

  it("uses the wire for a while after three sessions that came to nothing", async (test) => {
    const shard = await play(test);
    for (let i = 0; i < 3; i++) {
      const session = (await shard.open())!;
      await session.close();
    }
    assert.equal(await shard.open(), undefined);
    assert.equal(shard.calls(), 3);
    assert.ok((await shard.open()) !== undefined, "and tries again later");
  });
});

function pushOf(nodes: PushRequest["computed"]["nodes"]): PushRequest {
  const lease = { lease: 3, term: 1, step: 0, lo: 0, hi: 4, mac: new Uint8Array(32) } as unknown as StepLease;
  return { lease, computed: { nodes, losses: new Float64Array(4) } } as unknown as PushRequest;
}

function readSlots(root: string): Buffer {
  const name = readdirSync(root).find((each) => existsSync(join(root, each, slotsFile(0))))!;
  return readFileSync(join(root, name, slotsFile(0)));
}
