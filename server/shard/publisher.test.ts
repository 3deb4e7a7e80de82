import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { createLayout } from "../../shared/layout/index.js";
import { type Frame, type MessageWriter, shardService, type WeightsChunk } from "../../shared/wire/index.js";
import { createPublisher } from "./publisher.js";

const LAYOUT = createLayout([{ name: "kernel", shape: [5000], kind: "parameter", decay: true }]);
const [FIRST, SECOND] = LAYOUT.chunks;

interface Written {
  readonly frame: Frame;
  readonly version: number;
  readonly chunk: number;
  /** Lets the write resolve. */
  taken(): void;
}

/** A watcher that takes what is written when the test says so. */
function watcher() {
  const ended = new AbortController();
  const written: Written[] = [];
  const writer: MessageWriter<unknown> = {
    write: (message) =>
      new Promise((taken, reject) => {
        const frame = message as Frame;
        const bytes = Buffer.from(frame.frame.subarray(5));
        const { version, chunk } = shardService.WatchWeights.responseDeserialize(bytes) as WeightsChunk;
        written.push({ frame, version, chunk, taken });
        ended.signal.addEventListener("abort", () => reject(new Error("gone")));
      }),
    end() {},
    ended: ended.signal,
  };
  return { writer, written, leave: () => ended.abort() };
}

const settled = (): Promise<void> => new Promise((resolve) => setImmediate(resolve));

/** @param bytesPerElement of weights, as they are sent */
function open(bytesPerElement = 4) {
  let encoded = 0;
  const bytes: number[] = [];
  const publisher = createPublisher(
    (chunk) => {
      encoded += 1;
      return Buffer.alloc(chunk.length * bytesPerElement);
    },
    (sent) => bytes.push(sent),
  );
  return {
    publisher,
    bytes,
    get encoded() {
      return encoded;
    },
  };
}

describe("createPublisher()", () => {
  it("encodes a version once for all watchers of a kind", async () => {
    const opened = open();
    const { publisher } = opened;
    const [one, other, secured] = [watcher(), watcher(), watcher()];
    for (const { writer } of [one, other]) void publisher.watch(writer, { encrypted: false });
    void publisher.watch(secured.writer, { encrypted: true });
    publisher.publish(FIRST, 1, 0);
    await settled();
    assert.equal(one.written[0].frame, other.written[0].frame);
    assert.notEqual(one.written[0].frame, secured.written[0].frame);
    assert.equal(opened.encoded, 2);
    // One is done with it before the other has started on the next.
    publisher.publish(SECOND, 1, 0);
    one.written[0].taken();
    await settled();
    one.written[1].taken();
    await settled();
    other.written[0].taken();
    await settled();
    assert.equal(one.written[1].frame, other.written[1].frame);
    assert.equal(opened.encoded, 3);
    assert.deepEqual(opened.bytes, [FIRST.length * 4, SECOND.length * 4, FIRST.length * 4]);
  });

  it("counts the bytes that it sends, which are half as many where weights are packed", async () => {
    const { publisher, bytes } = open(2);
    const one = watcher();
    void publisher.watch(one.writer, { encrypted: false });
    publisher.publish(FIRST, 1, 0);
    await settled();
    one.written[0].taken();
    await settled();
    assert.deepEqual(bytes, [FIRST.length * 2]);
  });

  it("sends a slow watcher only the newest version, from what is encoded for it", async () => {
    const { publisher } = open();
    const [quick, slow] = [watcher(), watcher()];
    for (const { writer } of [quick, slow]) void publisher.watch(writer, { encrypted: false });
    for (let version = 0; version < 4; version++) {
      publisher.publish(FIRST, 1, version);
      await settled();
      quick.written[version].taken();
      await settled();
    }
    slow.written[0].taken();
    await settled();
    assert.deepEqual(
      slow.written.map(({ version }) => version),
      [0, 3],
    );
    assert.equal(slow.written[1].frame, quick.written[3].frame);
  });

  it("gives each frame's memory back, once nobody sends it or will send it", async () => {
    const { publisher } = open();
    const [one, other] = [watcher(), watcher()];
    for (const { writer } of [one, other]) void publisher.watch(writer, { encrypted: false });
    publisher.publish(FIRST, 1, 0);
    await settled();
    const released: string[] = [];
    const watch = (frame: Frame, name: string): void => {
      const { release } = frame;
      Object.assign(frame, {
        release() {
          released.push(name);
          release();
        },
      });
    };
    watch(one.written[0].frame, "version 0");
    one.written[0].taken();
    await settled();
    assert.deepEqual(released, [], "the other still sends it");
    publisher.publish(FIRST, 1, 1);
    await settled();
    watch(one.written[1].frame, "version 1");
    one.written[1].taken();
    await settled();
    assert.deepEqual(released, [], "the other will send it");
    other.written[0].taken();
    await settled();
    assert.deepEqual(released, ["version 0"]);
    other.leave();
    await settled();
    assert.deepEqual(released, ["version 0", "version 1"]);
    publisher.publish(FIRST, 1, 2);
    await settled();
    watch(one.written[2].frame, "version 2");
    publisher.retract();
    assert.equal(released.length, 2, "it is being sent");
    one.leave();
    await settled();
    assert.deepEqual(released, ["version 0", "version 1", "version 2"]);
  });
});
