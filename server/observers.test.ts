/** What shows a run can fail at every turn; the run must not notice. */
import assert from "node:assert/strict";
import { existsSync } from "node:fs";
import { join } from "node:path";
import { describe, it, type TestContext } from "node:test";
import type { RunObserver, RunSource } from "./index.js";
import { lockHolder, type MetricsLine } from "./record/index.js";
import { serve, smallTask, temporaryFolder, work } from "./test-server.test.helper.js";

const STEPS = 3;

async function runWith(test: TestContext, observers: readonly RunObserver[]) {
  const server = await serve(test, { task: await smallTask(STEPS), observers });
  await work(test, server.address);
  return { server, ...(await server.finished) };
}

describe("observers of a run", { timeout: 60_000 }, () => {
  it("do not affect the run, whatever they throw", async (test) => {
    const undisturbed = await runWith(test, []);
    const failure = (turn: string) => (): never => {
      throw new Error(`no ${turn}`);
    };
    const broken: RunObserver = {
      name: "The broken one",
      start({ metrics }) {
        metrics.subscribe(0, failure("lines"));
        return { ended: failure("end"), close: () => Promise.reject(new Error("no close")) };
      },
    };
    const seen: MetricsLine[] = [];
    const turns: string[] = [];
    const sound: RunObserver = {
      name: "The sound one",
      start({ metrics, folder }) {
        metrics.subscribe(0, (json) => void seen.push(JSON.parse(json)));
        return {
          ended: () => void turns.push(existsSync(join(folder, "summary.json")) ? "ended" : "ended too early"),
          close: () => void turns.push("closed"),
        };
      },
    };
    const { server, summary } = await runWith(test, [broken, sound]);
    assert.equal(summary.stateHash, undisturbed.summary.stateHash, "the same bits as without observers");
    assert.deepEqual(turns, ["ended", "closed"]);
    assert.deepEqual(
      seen.flatMap((line) => (line.type === "step" ? [line.step] : [])),
      [0, 1, 2],
    );
    for (const turn of ["lines", "end", "close"]) {
      const lines = server.log.filter((line) =>
        line.includes(`The broken one failed, which does not affect the run. no ${turn}`),
      );
      assert.equal(lines.length, 1, turn);
    }
  });

  it("see the run before its first event", async (test) => {
    let first: MetricsLine | undefined;
    let phase: string | undefined;
    const observer: RunObserver = {
      name: "The first one",
      start({ metrics, status }: RunSource) {
        ({ phase } = status());
        metrics.subscribe(Number.POSITIVE_INFINITY, (json) => {
          first ??= JSON.parse(json) as MetricsLine;
        });
        return {};
      },
    };
    await runWith(test, [observer]);
    assert.equal(phase, "gathering");
    assert.equal(first?.type === "event" && first.event, "started");
  });

  it("keep a server from starting only when they can't start, and leave nothing behind", async (test) => {
    const out = temporaryFolder(test);
    const closed: string[] = [];
    const observers: RunObserver[] = [
      { name: "A", start: () => ({ close: () => void closed.push("A") }) },
      { name: "B", start: () => Promise.reject(new Error("that port is taken")) },
    ];
    await assert.rejects(serve(test, { task: await smallTask(STEPS), out, observers }), /that port is taken/);
    assert.deepEqual(closed, ["A"]);
    assert.equal(lockHolder(out), undefined);
  });
});
