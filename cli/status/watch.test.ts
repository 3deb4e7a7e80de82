import assert from "node:assert/strict";
import { describe, it } from "node:test";
import { IsobatchError } from "../../shared/errors.js";
import type { Status } from "../../shared/wire/index.js";
import { createPaint } from "../progress/view.js";
import { watchStatus } from "./watch.js";

const statusAt = (step: number, phase = "stepping"): Status =>
  ({
    task: "mnist",
    runId: "r",
    phase,
    step,
    steps: 9,
    workers: [],
    shards: [],
    advice: "",
    failure: "",
    workerFailure: "",
    samplesTotal: 9,
    samples: step,
  }) as unknown as Status;

/** Watches while the server gives these answers, one after another. */
async function watch(answers: readonly (Status | Error)[], onDraw = (_text: string, _leave: () => void) => {}) {
  const leaving = new AbortController();
  const shown: string[] = [];
  const queue = [...answers];
  const last = await watchStatus({
    first: statusAt(0),
    ask: async () => {
      const answer = queue.shift();
      if (answer === undefined || answer instanceof Error) throw answer ?? new Error("asked too often");
      return answer;
    },
    address: { host: "here", port: 1 },
    paint: createPaint(false),
    refreshMs: 1,
    screen: {
      columns: 80,
      rows: 24,
      left: leaving.signal,
      onChange: () => {},
      draw(lines) {
        shown.push(lines.join("\n"));
        onDraw(lines.join("\n"), () => leaving.abort());
      },
    },
  });
  return { last, shown };
}

const gone = new IsobatchError("unavailable", "The server has gone.");

describe("watchStatus()", () => {
  it("follows a run to its end", async () => {
    const { last, shown } = await watch([statusAt(3), statusAt(9, "ended")]);
    assert.equal(last.step, 9);
    assert.deepEqual(
      shown.map((text) => /step +(\d)/.exec(text)?.[1]),
      ["0", "3"],
    );
  });

  it("keeps asking a server that does not answer, and shows that it does not", async () => {
    const { shown } = await watch([statusAt(3), gone, gone, statusAt(4), statusAt(9, "ended")]);
    const missing = shown.map((text) => /The server has\s+gone\.\s+Trying\s+again\./.test(text));
    assert.deepEqual(missing, [false, false, true, true, false]);
    assert.match(shown[2], /step +3 of 9/);
  });

  it("ends when the person leaves", async () => {
    const { last } = await watch([statusAt(3), statusAt(4)], (text, leave) => {
      if (/step +4/.test(text)) leave();
    });
    assert.equal(last.step, 4);
  });

  it("does not ask again after a refusal", async () => {
    await assert.rejects(watch([new IsobatchError("refused", "Wrong token.")]), /Wrong token/);
  });
});
