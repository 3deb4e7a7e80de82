import assert from "node:assert/strict";
import { createRequire } from "node:module";
import { describe, it } from "node:test";
import { sessionAddonOf } from "../../../shared/native/installation.js";
import { openBackend, probeBackend } from "../../index.js";
import { findInstallation } from "../../machine/index.js";
import { settings } from "../../settings.test.helper.js";
import { encodeConfig, encodeGraph, type GraphNode, value } from "./graph-def.js";
import { TYPE } from "./graph-writer.js";
import type { SessionAddon } from "./session.js";

const { available, reason } = await probeBackend("tfjs-node", settings);
const addon = available ? await load() : undefined;
const skip = !available
  ? reason
  : addon?.runLater === undefined &&
    "the TensorFlow that is installed runs in one thread; run isobatch tensorflow install";

async function load(): Promise<SessionAddon | undefined> {
  await openBackend("tfjs-node", settings);
  const installation = findInstallation("tfjs-node", settings);
  if (typeof installation === "string") return undefined;
  try {
    return createRequire(import.meta.url)(sessionAddonOf(installation)) as SessionAddon;
  } catch {
    return undefined;
  }
}

const LENGTH = 100_000;

/** A session that squares numbers. */
function squares(length = LENGTH) {
  const type = value.type(TYPE.float32);
  const nodes: GraphNode[] = [
    { name: "x", operation: "Placeholder", inputs: [], attributes: { dtype: type, shape: value.shape([length]) } },
    { name: "y", operation: "Square", inputs: ["x"], attributes: { T: type } },
  ];
  const session = addon!.open(encodeGraph(nodes, { otherDevices: false }), encodeConfig({ otherDevices: false }));
  const call = addon!.prepare(session, [{ name: "x", type: TYPE.float32, shape: [length] }], ["y"], []);
  const x = Float32Array.from({ length }, (_, i) => Math.sin(i));
  const y = new Float32Array(new SharedArrayBuffer(4 * length));
  return { session, call, x, y };
}

describe("a session's run in another thread", { skip }, () => {
  it("gives what a run in this one does, and says whether all of it is finite", async () => {
    const { session, call, x, y } = squares();
    const expected = new Float32Array(LENGTH);
    assert.equal(addon!.run(session, call, [[x]], [[expected]]), true);
    assert.equal(await addon!.runLater!(session, call, [[x]], [[y.subarray(0, 7), y.subarray(7)]]), true);
    assert.deepEqual(y.slice(), expected);
    x[70] = 1e30;
    assert.equal(await addon!.runLater!(session, call, [[x]], [[y]]), false);
    assert.equal(await addon!.runLater!(session, call, [[x]], [[y]], true), true);
    addon!.close(session);
  });

  it("takes inputs at once, and keeps its session to itself until it is settled", async () => {
    const { session, call, x, y } = squares();
    const later = addon!.runLater!(session, call, [[x]], [[y]]);
    x.fill(3);
    for (const run of [addon!.run, addon!.runLater!]) {
      assert.throws(() => void run(session, call, [[x]], [[y]]), /^Error: the session is running in another thread$/);
    }
    await later;
    assert.deepEqual(
      [...y.subarray(0, 3)],
      [0, 1, 2].map((i) => Math.fround(Math.fround(Math.sin(i)) ** 2)),
    );
    addon!.run(session, call, [[x]], [[y]]);
    assert.equal(y[2], 9);
    addon!.close(session);
  });

  it("fails as a run in this thread does, and leaves the session as it was", async () => {
    const { session, call, x, y } = squares();
    const short = y.subarray(1);
    assert.throws(
      () => addon!.run(session, call, [[x]], [[short]]),
      /^Error: the arrays are shorter than their tensor$/,
    );
    await assert.rejects(
      addon!.runLater!(session, call, [[x]], [[short]]),
      /^Error: the arrays are shorter than their tensor$/,
    );
    assert.equal(await addon!.runLater!(session, call, [[x]], [[y]]), true);
    addon!.close(session);
  });

  it("finishes even if the session is closed meanwhile", async () => {
    const { session, call, x, y } = squares();
    const later = addon!.runLater!(session, call, [[x]], [[y]]);
    addon!.close(session);
    assert.equal(await later, true);
    assert.equal(y[1], Math.fround(Math.fround(Math.sin(1)) ** 2));
    assert.throws(() => void addon!.runLater!(session, call, [[x]], [[y]]), /^Error: the session is closed$/);
  });
});
