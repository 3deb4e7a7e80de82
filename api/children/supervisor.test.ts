import assert from "node:assert/strict";
import { describe, it } from "node:test";
import type { Child, ChildExit } from "./child.js";
import { superviseWorkers } from "./supervisor.js";

/** Children that live until the test ends them, or until they are stopped. */
function createWorkers() {
  const started: { number: number; end(exit: Partial<ChildExit>): void; stopped: boolean }[] = [];
  const waiting: { count: number; resolve: () => void }[] = [];
  const start = (number: number): Child => {
    let resolve: (exit: ChildExit) => void;
    const exited = new Promise<ChildExit>((settle) => {
      resolve = settle;
    });
    const end = (exit: Partial<ChildExit>): void => resolve({ ok: false, code: 1, reason: "It fell.", ...exit });
    const entry = { number, end, stopped: false };
    started.push(entry);
    for (const wait of waiting) if (started.length >= wait.count) wait.resolve();
    const stop = (): Promise<ChildExit> => {
      entry.stopped = true;
      end({ ok: true, code: 0 });
      return exited;
    };
    return { processId: started.length, exited, stop, kill: () => {}, send: () => {} };
  };
  /** Resolves when `count` have been started in all. */
  const untilStarted = (count: number): Promise<void> =>
    started.length >= count ? Promise.resolve() : new Promise((resolve) => waiting.push({ count, resolve }));
  return { start, started, untilStarted };
}

describe("superviseWorkers()", () => {
  const worked = () => false;
  const restarts = () => {
    let deaths = 0;
    return { afterDeath: () => (++deaths > 3 ? undefined : 0) };
  };

  it("starts a worker again that died, and says so with its reason", async () => {
    const { start, started, untilStarted } = createWorkers();
    const notices: string[] = [];
    const supervisor = superviseWorkers({ count: 2, start, worked, notice: (line) => notices.push(line), restarts });
    started[1].end({ reason: "It was killed." });
    await untilStarted(3);
    assert.deepEqual(
      started.map(({ number }) => number),
      [1, 2, 2],
    );
    assert.deepEqual(notices, ["Worker 2 died and is started again. It was killed."]);
    await supervisor.stop(1_000);
    assert.deepEqual(
      started.map(({ stopped }) => stopped),
      [true, false, true],
    );
  });

  it("gives up on a worker that keeps dying, with the worker's own sentence", async () => {
    const { start, started, untilStarted } = createWorkers();
    const supervisor = superviseWorkers({ count: 1, start, worked, notice: () => {}, restarts });
    for (let i = 0; i < 4; i++) {
      await untilStarted(i + 1);
      started[i].end({ reason: "There is no data." });
    }
    assert.match(await supervisor.gaveUp, /^Worker 1 has died .* There is no data\.$/);
    await supervisor.stop(1_000);
    assert.equal(started.length, 4);
  });

  it("continues without one that keeps dying while another lives, and gives up when none is left", async () => {
    const { start, started } = createWorkers();
    const notices: string[] = [];
    const supervisor = superviseWorkers({ count: 2, start, worked, notice: (line) => notices.push(line), restarts });
    started[0].end({ code: 2, reason: "There is no GPU." });
    while (notices.length === 0) await new Promise((resolve) => setImmediate(resolve));
    assert.deepEqual(notices, [
      "Worker 1 can't work. There is no GPU. It is not started again; the run continues without it.",
    ]);
    started[1].end({ code: 2, reason: "There is no memory." });
    assert.equal(await supervisor.gaveUp, "Worker 2 can't work. There is no memory.");
  });

  it("asks of each that died whether it had worked", async () => {
    const { start, started, untilStarted } = createWorkers();
    const rows: boolean[] = [];
    const asked = () => ({ afterDeath: (worked: boolean) => (rows.push(worked) < 3 ? 0 : undefined) });
    const didWork = ({ processId }: Child) => processId === 2;
    const supervisor = superviseWorkers({ count: 1, start, worked: didWork, notice: () => {}, restarts: asked });
    for (let i = 0; i < 3; i++) {
      await untilStarted(i + 1);
      started[i].end({});
    }
    await supervisor.gaveUp;
    assert.deepEqual(rows, [false, true, false]);
  });

  it("does not try again what was wrong input", async () => {
    const { start, started } = createWorkers();
    const supervisor = superviseWorkers({ count: 1, start, worked, notice: () => {}, restarts });
    started[0].end({ code: 2, reason: "--backend is wrong." });
    assert.equal(await supervisor.gaveUp, "Worker 1 can't work. --backend is wrong.");
    assert.equal(started.length, 1);
  });

  it("lets a worker go that ended well", async () => {
    const { start, started } = createWorkers();
    const supervisor = superviseWorkers({ count: 1, start, worked, notice: assert.fail, restarts });
    started[0].end({ ok: true, code: 0 });
    await supervisor.stop(1_000);
    assert.equal(started.length, 1);
  });

  it("starts nobody again once it was stopped", async () => {
    const { start, started } = createWorkers();
    const slow = () => ({ afterDeath: () => 3_600_000 });
    const supervisor = superviseWorkers({ count: 1, start, worked, notice: () => {}, restarts: slow });
    started[0].end({});
    await new Promise(setImmediate);
    await supervisor.stop(1_000);
    assert.equal(started.length, 1);
  });
});
